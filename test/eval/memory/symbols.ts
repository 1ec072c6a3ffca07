import path from 'node:path';
import ts from 'typescript';

/** What the compiler knows of a repository, as far as questions are made of it. Paths are relative to the root. */
export interface Facts {
  readonly files: readonly string[];
  /** Names of functions and classes that stand at the top of exactly one file, and which. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Of those: for each call the names of the functions around it, the outermost last; empty for a call at the top of a file. */
  readonly callers: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Of all that stands at the top of one file: the files that import it by name. */
  readonly importers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Things with a literal value, in words, and the value. */
  readonly values: ReadonlyMap<string, string>;
}

const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, allowJs: true, skipLibCheck: true, noLib: true, types: [] };

/** Reads a repository with the TypeScript compiler: names are resolved by its symbol table, never by their text. */
export function factsOf(root: string, isTest: (file: string) => boolean = (file) => /(^|\/)(tests?|__tests__|spec)\/|\.(test|spec)\./.test(file)): Facts {
  const program = ts.createProgram(ts.sys.readDirectory(root, ['.ts', '.js']), options);
  const checker = program.getTypeChecker();
  const pathOf = (file: ts.SourceFile): string => path.relative(root, file.fileName).split(path.sep).join('/');
  const sources = program.getSourceFiles().filter((file) => !program.isSourceFileFromExternalLibrary(file) && !isTest(pathOf(file)) && !file.isDeclarationFile);
  const target = (symbol: ts.Symbol | undefined): ts.Symbol | undefined => (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol);

  const tops = topSymbols(sources, checker);
  const found = new Map<ts.Symbol, { readonly name: string; readonly file: string; readonly callable: boolean }>();
  for (const [name, symbols] of tops) {
    const [symbol] = symbols;
    const files = [...new Set([...symbols].flatMap(({ declarations = [] }) => declarations.map((one) => pathOf(one.getSourceFile()))))];
    if (symbol === undefined || symbols.size !== 1 || files.length !== 1) continue;
    found.set(symbol, { name, file: files[0] ?? '', callable: (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) !== 0 || (symbol.declarations ?? []).some(isFunctionConstant) });
  }

  const callers = new Map<string, (readonly string[])[]>();
  const importers = new Map<string, Set<string>>();
  const values = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const source of sources) {
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
        const called = found.get(target(checker.getSymbolAtLocation(node.expression)) as ts.Symbol);
        const around = namesAround(node);
        if (called !== undefined && !around.includes(called.name)) callers.set(called.name, [...callers.get(called.name) ?? [], around]);
      } else if (ts.isImportSpecifier(node)) {
        const imported = found.get(target(checker.getSymbolAtLocation(node.name)) as ts.Symbol);
        if (imported !== undefined && imported.file !== pathOf(source)) importers.set(imported.name, (importers.get(imported.name) ?? new Set()).add(pathOf(source)));
      }
      const valued = valueOf(node, checker);
      if (valued !== undefined) {
        if (values.has(valued.what) && values.get(valued.what) !== valued.value) ambiguous.add(valued.what);
        values.set(valued.what, valued.value);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  for (const what of ambiguous) values.delete(what);
  return { files: sources.map(pathOf).sort(), definitions: new Map([...found.values()].filter(({ callable }) => callable).map(({ name, file }) => [name, file])), callers, importers, values };
}

/** Symbols that are declared at the top of a file, by name: more than one where files use the same name. */
function topSymbols(sources: readonly ts.SourceFile[], checker: ts.TypeChecker): ReadonlyMap<string, ReadonlySet<ts.Symbol>> {
  const tops = new Map<string, Set<ts.Symbol>>();
  const take = (name: ts.Node | undefined): void => {
    const local = name === undefined ? undefined : checker.getSymbolAtLocation(name);
    if (local === undefined || name === undefined) return;
    const symbol = checker.getExportSymbolOfSymbol(local);
    tops.set(name.getText(), (tops.get(name.getText()) ?? new Set()).add(symbol));
  };
  for (const source of sources) {
    for (const statement of source.statements) {
      if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(({ name }) => take(ts.isIdentifier(name) ? name : undefined));
      else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) take(statement.name);
    }
  }
  return tops;
}

const isFunctionConstant = (node: ts.Declaration): boolean =>
  ts.isVariableDeclaration(node) && node.initializer !== undefined && (ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer));

/** Names of the functions and class members around a node, the innermost first. */
function namesAround(node: ts.Node): readonly string[] {
  const names: string[] = [];
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if ((ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at) || ts.isGetAccessor(at) || ts.isSetAccessor(at)) && at.name !== undefined) names.push(at.name.getText());
    else if (ts.isVariableDeclaration(at) && isFunctionConstant(at)) names.push(at.name.getText());
    else if (ts.isConstructorDeclaration(at)) names.push(at.parent.name?.getText() ?? '');
  }
  return names;
}

/** A constant at the top of a file, a member of an enumeration, a property or a parameter with a literal as its value. What is easily guessed does not count. */
function valueOf(node: ts.Node, checker: ts.TypeChecker): { readonly what: string; readonly value: string } | undefined {
  if (ts.isEnumMember(node)) {
    const value = checker.getConstantValue(node);
    return value === undefined || value === 0 || value === 1 || (typeof value === 'string' && value.length < 3) ? undefined : { what: `\`${node.parent.name.getText()}.${node.name.getText()}\``, value: String(value) };
  }
  const value = 'initializer' in node ? literal(node.initializer as ts.Expression | undefined) : undefined;
  if (value === undefined) return undefined;
  if (isTopConstant(node)) return { what: `the constant \`${node.name.getText()}\``, value };
  if (ts.isPropertyAssignment(node) && ts.isObjectLiteralExpression(node.parent) && isTopConstant(node.parent.parent)) {
    return { what: `\`${node.name.getText()}\` in the constant \`${node.parent.parent.name.getText()}\``, value };
  }
  if (ts.isParameter(node) && (ts.isFunctionDeclaration(node.parent) || ts.isMethodDeclaration(node.parent)) && node.parent.name !== undefined) {
    return { what: `the parameter \`${node.name.getText()}\` of \`${node.parent.name.getText()}\` when it is left out`, value };
  }
  if (ts.isPropertyDeclaration(node) && ts.isClassDeclaration(node.parent)) return { what: `\`${node.name.getText()}\` in a new \`${node.parent.name?.getText() ?? ''}\``, value };
  return undefined;
}

const isTopConstant = (node: ts.Node): node is ts.VariableDeclaration =>
  ts.isVariableDeclaration(node) && ts.isVariableStatement(node.parent.parent) && ts.isSourceFile(node.parent.parent.parent);

function literal(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isAsExpression(node)) return literal(node.expression);
  if (ts.isCallExpression(node) && node.expression.getText() === 'Symbol.for') return literal(node.arguments[0]);
  if (ts.isStringLiteralLike(node)) return node.text.length >= 3 && node.text.length <= 60 ? node.text : undefined;
  if (ts.isNumericLiteral(node)) return ['0', '1'].includes(node.text) ? undefined : node.text;
  return ts.isIdentifier(node) && node.text === 'Infinity' ? node.text : undefined;
}
