import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Root of the checkout, from the compiled file in out/test/unit/architecture. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

/** Files under `folder` (relative to the root) whose name matches; absolute paths, in a stable order. */
export function filesBelow(folder: string, name: RegExp): readonly string[] {
  const top = path.join(root, folder);
  return fs.readdirSync(top, { recursive: true, encoding: 'utf8' }).map(file => path.join(top, file))
    .filter(file => name.test(file) && fs.statSync(file).isFile()).sort();
}

/** Module specifiers that a source file names, in order: imports, re-exports, dynamic imports, require and import types. */
export function importsOf(file: string, text = fs.readFileSync(file, 'utf8')): readonly string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const found: string[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isCallExpression(node)) {
      const called = node.expression;
      if (called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require')) add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
