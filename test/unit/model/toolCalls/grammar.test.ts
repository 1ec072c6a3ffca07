import assert from 'node:assert/strict';
import type { JsonSchema } from '../../../../src/protocol/chat.js';
import { gemma4Calls } from '../../../../src/model/toolCalls/gemma4Calls.js';
import { GrammarBuilder } from '../../../../src/model/toolCalls/grammar.js';
import { jsonNotation } from '../../../../src/model/toolCalls/notation.js';
import { toolLineCalls } from '../../../../src/model/toolCalls/toolLineCalls.js';
import { readFile } from '../formats/conversations.js';

suite('grammar of a JSON schema', () => {
  /** Rules that the schema adds; that llama.cpp takes them is for test/integration/model. */
  const check = (name: string, schema: JsonSchema, expected: Readonly<Record<string, string>>): void => {
    test(name, () => {
      const grammar = new GrammarBuilder(jsonNotation);
      grammar.value('v', schema);
      const rules = Object.fromEntries(grammar.build().trim().split('\n').map((rule) => rule.split(' ::= ') as [string, string]).filter(([rule]) => !(rule in jsonNotation.rules)));
      assert.deepEqual(rules, expected);
    });
  };
  const whole = '("0" | [1-9] [0-9]{0,15})';

  check('string', { type: 'string' }, { v: '"\\"" char* "\\""' });
  check('string with lengths', { type: 'string', minLength: 1, maxLength: 9 }, { v: '"\\"" char{1,9} "\\""' });
  check('a length too long to spell out is left to the validation', { type: 'string', maxLength: 100_000 }, { v: '"\\"" char* "\\""' });
  check('integer', { type: 'integer' }, { v: `"-"? ${whole}` });
  check('integer from 0', { type: 'integer', minimum: 0 }, { v: whole });
  check('boolean', { type: 'boolean' }, { v: '"true" | "false"' });
  check('enum of strings with quotes', { type: 'string', enum: ['a', 'b"c'] }, { v: '"\\"a\\"" | "\\"b\\\\\\"c\\""' });
  check('type list', { type: ['boolean', 'null'] }, { v: 'v-or0 | v-or1', 'v-or0': '"true" | "false"', 'v-or1': '"null"' });
  check('array', { type: 'array', items: { type: 'boolean' } }, { v: '"[" (v-item (", " v-item){0,})? "]"', 'v-item': '"true" | "false"' });
  check('array with bounds', { type: 'array', items: { type: 'null' }, minItems: 2, maxItems: 3 }, { v: '"[" v-item (", " v-item){1,2} "]"', 'v-item': '"null"' });
  check('object without properties', { type: 'object', properties: {} }, { v: '"{}"' });
  check(
    'object: required, then optional',
    { type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } }, required: ['a'] },
    {
      'v-0': '"null"', 'v-1': '"null"', 'v-2': '"null"',
      v: '"{" "\\"a\\": " v-0 v-1c "}"',
      'v-1c': '", " "\\"b\\": " v-1 v-2c | v-2c',
      'v-2c': '", " "\\"c\\": " v-2 | ""',
    },
  );
  check(
    'object: optional before required',
    { type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' } }, required: ['b'] },
    { 'v-0': '"null"', 'v-1': '"null"', v: '"{" v-0o "}"', 'v-0o': '"\\"a\\": " v-0 ", " "\\"b\\": " v-1 | "\\"b\\": " v-1' },
  );

  test('a schema that nests without end ends as any value', () => {
    const deep: Record<string, unknown> = { type: 'array' };
    deep['items'] = deep;
    const grammar = new GrammarBuilder(jsonNotation);
    grammar.value('v', deep);
    assert.match(grammar.build(), /\nany ::= /);
  });
});

suite('grammar of calls', () => {
  test('tool line: name, line break, arguments', () => {
    assert.match(toolLineCalls.grammar([readFile]), /^call-0 ::= " read_file\\n" arguments-0$/m);
  });
  test('Gemma 4: keys in the order of the template, closed by its token', () => {
    const grammar = gemma4Calls.grammar([readFile]);
    assert.match(grammar, /^call-0 ::= "call:read_file" arguments-0 "<tool_call\|>"$/m);
    assert.match(grammar, /^arguments-0 ::= "\{" arguments-0-0o "\}"$/m);
    assert.match(grammar, /^arguments-0-0o ::= "lines:" arguments-0-0 "," "path:" arguments-0-1 \| "path:" arguments-0-1$/m);
  });
});
