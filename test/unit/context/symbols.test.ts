import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { definedNames, longestSignature } from '../../../src/context/symbols/facts.js';
import { languageOf, languages } from '../../../src/context/symbols/languages.js';
import { runtimeWasm, TreeSitterParser } from '../../../src/context/symbols/parser.js';
import { treeSitter } from '../../support/context/repository.js';
import { packagedWasm } from '../../support/context/wasm.js';
import { root } from '../../support/workbench/paths.js';

/** File, its symbols as `depth kind signature`, and some names that it uses. */
const expected: readonly (readonly [file: string, symbols: readonly string[], uses: readonly string[]])[] = [
  ['shop.ts', [
    '0 interface interface Priced<T> extends Base', '1 method scale(by: number): Priced<T>', '0 type type Id = string | number', '0 enum enum Colour { Red, Green }',
    '0 class abstract class Basket extends Base<number> implements Priced<string>', '1 method static make(): Basket', '1 method handler = (x: number)', '1 method abstract total(): number',
    '0 constant limit = 5', '0 function inner = (a: number): number', '0 function function addUp(a: number, b?: Opts): number', '0 function function ambient(x: string): void',
  ], ['Base', 'Options', 'helper']],
  ['view.tsx', ['0 function Label = (props: { text: string })', '0 function function View(): unknown'], ['Panel']],
  ['shop.js', [
    "0 constant loader = require('./loader')", '0 class class Basket extends Shelf', '1 method total()', '1 method static empty = ()', '0 function Basket.prototype.clear = function (really)',
    '0 function exports.open = function open(a, b)', '0 function function* each()',
  ], ['Shelf', 'addUp']],
  ['shop.py', ['0 constant LIMIT: int = 5', '0 class class Basket(S)', '1 function def total(self, tax: int = 1) -> int', '0 function async def open_shop(name)'], ['Shelf', 'helper', 'decorated']],
  ['shop.go', [
    '0 constant Limit = 5', '0 interface Priced interface{ Total() float64 }', '1 method Total() float64', '0 struct Basket', '0 type Id = string', '0 method func (b *Basket) Total() float64',
    '0 function func New[T any](a int) (*Basket, error)',
  ], ['addUp', 'checkAll']],
  ['shop.rs', [
    '0 constant pub const LIMIT: usize = 5', '0 struct pub struct Basket<T>', '0 enum pub enum Colour { Red, Green(i32) }', '0 trait pub trait Priced', '1 function fn total(&self) -> f64',
    '0 impl impl<T> Priced for Basket<T>', '1 function fn total(&self) -> f64', '0 module mod inner', '1 function pub fn hidden()', '0 macro macro_rules! twice', '0 function pub fn open(shelf: Shelf) -> Basket<Colour>',
  ], ['Shelf', 'helper', 'add_up']],
  ['Shop.java', [
    '0 class public abstract class Shop<T> extends Shelf<T> implements Priced', '1 constant public static final int LIMIT = 5', '1 method public Shop(int size)', '1 method public double total(int tax) throws Failure',
    '1 enum enum Colour { RED, GREEN }', '1 interface interface Inner', '2 method void open()', '1 record record Point(int x, int y)',
  ], ['Shelf', 'Basket', 'Sums', 'addUp']],
  ['shop.c', [
    '0 macro #define LIMIT 5', '0 macro #define LARGER(a, b)', '0 type typedef struct basket { double tax; struct shelf *shelf; } basket_t', '0 struct struct basket', '0 enum enum colour { RED, GREEN }',
    '0 type typedef int (*callback)(int)', '0 function static int helper(int a, basket_t *b)', '0 variable int table[3] = {1, 2, 3}', '0 function basket_t *new_basket(double tax)',
  ], ['allocate', 'shelf']],
  ['shop.cpp', [
    '0 namespace namespace shop', '1 class class Basket : public Shelf<T>', '2 function Basket(int tax) : tax_(tax)', '2 method virtual double total() const override', '2 method static Basket make()',
    '1 enum enum class Colour { Red }', '1 type using Id = int', '1 constant constexpr int kLimit = 5', '1 function double open(const Basket<int>& b, Colour c)', '0 method double shop::Basket::empty() const',
  ], ['Shelf', 'add_up', 'rest', 'Nothing']],
  ['Shop.cs', [
    '0 class public abstract class Basket<T> : Shelf<T>, IPriced where T : class', '1 constant public const int Limit = 5', '1 property public int Side', '1 method public Basket(int tax) : base(tax)',
    '1 method public double Total(int tax)', '1 type public delegate void Callback(int x)', '0 enum public enum Colour { Red }', '0 interface public interface IPriced', '1 method double Total(int tax)',
    '0 record public record Point(int X, int Y)',
  ], ['Shelf', 'AddUp', 'Nothing']],
  ['shop.rb', [
    '0 module module Shop', '1 constant LIMIT = 5', '1 class class Basket < Base::Shelf', '2 method def initialize(tax)', '2 method def total(tax, rest: 1)', '2 method def self.make', '0 method def open_shop',
  ], ['Shelf', 'Colour', 'add_up']],
  ['shop.php', [
    '0 constant const LIMIT = 5', '0 class abstract class Basket extends Shelf implements Priced', '1 constant const MAX = 3', '1 method public function __construct(private int $tax)',
    '1 method public static function make(int $tax): self', '0 interface interface Priced', '1 method public function total(): float', '0 trait trait Counted', "0 enum enum Colour: string { case Red = 'r'; }",
    '0 function function open_shop(Basket $b)',
  ], ['Shelf', 'addUp', 'Nothing']],
];

suite('context: symbols', () => {
  for (const [file, symbols, uses] of expected) {
    test(`definitions and uses in ${file}`, async () => {
      const text = fs.readFileSync(path.join(root, 'test', 'fixtures', 'languages', file), 'utf8');
      const facts = await treeSitter.parse(languageOf(file)!, text);
      assert.deepEqual(facts.symbols.map(({ depth, kind, signature }) => `${depth} ${kind} ${signature}`), symbols);
      const names = facts.references.map(([name]) => name);
      for (const use of uses) assert.ok(names.includes(use), `${use} is not among ${names.join(' ')}`);
      assert.ok(!names.some((name) => definedNames(facts).has(name)), 'a name of its own');
      assert.deepEqual(names, names.toSorted((a, b) => (a < b ? -1 : 1)));
    });
  }

  test('what no other file can mean is local', async () => {
    const localsOf = async (path: string, text: string): Promise<string[]> => (await treeSitter.parse(languageOf(path)!, text)).symbols.filter(({ local }) => local === true).map(({ name }) => name);
    assert.deepEqual(await localsOf('a.ts', 'const hidden = 1;\nexport const shown = 2;\nfunction listed() {}\nclass Inner { run() {} }\nexport { listed as other };\nexport class Outer { private a() {} b() {} }\n'), ['hidden', 'Inner', 'run', 'a']);
    assert.deepEqual(await localsOf('a.test.ts', "import { a } from './a.js';\nconst text = a();\n"), ['text']);
    assert.deepEqual(await localsOf('a.js', 'const free = 1;\nfunction run() {}\nmodule.exports = { run };\n'), []);
    assert.deepEqual(await localsOf('a.c', 'static int hidden(int a) { return a; }\nint shown(int a) { return a; }\n'), ['hidden']);
    assert.deepEqual(await localsOf('A.java', 'class A { private void hidden() {} void shown() {} private static final int X = 1; }'), ['hidden', 'X']);
  });

  test('what is local to a body that a macro opens is no symbol, and a template ends at its body', async () => {
    const facts = await treeSitter.parse(languageOf('a.cpp')!, 'TEST(sums) {\n  const int total = add(1, 2);\n}\ntemplate <int N> static void repeat(int n) { run(n); }\n');
    assert.deepEqual(facts.symbols.map(({ signature }) => signature), ['TEST(sums)', 'template <int N> static void repeat(int n)']);
  });

  test('every grammar that is needed is packaged, and no other', () => {
    assert.deepEqual([...new Set([runtimeWasm, ...languages.map(({ grammar }) => grammar)])].sort(), [...packagedWasm].sort());
    for (const { id } of languages) assert.ok(expected.some(([file]) => languageOf(file)?.id === id), `${id} is not tested`);
  });

  test('hostile text has bounded symbols, and none where it is too slow or no text at all', async () => {
    const typescript = languageOf('a.ts')!;
    const deep = await treeSitter.parse(typescript, `${'namespace a{'.repeat(20_000)}${'}'.repeat(20_000)}`);
    assert.ok(deep.symbols.every(({ depth }) => depth <= 3));
    const many = await treeSitter.parse(typescript, 'export const a = 1;\n'.repeat(5_000));
    assert.ok(many.symbols.length <= 600);
    const long = await treeSitter.parse(typescript, `export function f(${'\u{1f600}'.repeat(4_000)}) {}\nexport const ${'x'.repeat(5_000)} = 1;\n`);
    assert.ok(long.symbols.every(({ name, signature }) => name.length <= longestSignature && signature.length <= longestSignature && !/[\ud800-\udbff]…?$/.test(signature)));
    const started = performance.now();
    await treeSitter.parse(typescript, `${'\n'.repeat(400_000)}x`);
    assert.ok(performance.now() - started < 2_000, 'empty lines');
    for (const text of ['', '\u0000', '\ud800', '}}}}((((', '`${'.repeat(1_000)]) assert.doesNotThrow(async () => await treeSitter.parse(typescript, text));
  });

  test('a grammar that is missing costs its language its symbols, nothing else', async () => {
    const parser = new TreeSitterParser((name) => path.join(root, 'absent', name), silentLogger);
    assert.deepEqual(await parser.parse(languageOf('a.py')!, 'x = 1'), { symbols: [], references: [] });
  });

  test('names that every object has are no languages', () => {
    for (const name of ['constructor', 'x.constructor', 'x.toString', '.ts', 'ts', 'a.unknown']) assert.equal(languageOf(name), undefined, name);
    assert.equal(languageOf('a/b.TSX')?.id, 'tsx');
  });
});
