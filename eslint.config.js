import tseslint from 'typescript-eslint';
import { readLayers, restrictedPackages } from './scripts/lib/layers.mjs';

const layers = readLayers();

/**
 * What a file of `layer`, `depth` folders below it, must not import: layers that it does not reference, and packages kept for
 * other layers. By depth, because `../model/` in src/webviews/chat is a folder of its own, and in src/agent another layer.
 */
function importRules(layer, depth) {
  const forbiddenLayers = Object.keys(layers).filter(other => !layers[layer].includes(other));
  const forbiddenPackages = Object.keys(restrictedPackages).filter(name => !restrictedPackages[name].includes(layer));
  const patterns = [
    ...forbiddenLayers.map(other => ({
      regex: `^(\\.\\./){${depth + 1}}${other}/`, message: `src/${layer} must not import src/${other} (see its tsconfig.json).`,
    })),
    ...forbiddenPackages.map(name => ({
      regex: `^${name}(/|$)`, message: `only src/${restrictedPackages[name].join(', src/')} may import ${name}.`,
    })),
  ];
  if (layer === 'webviews') patterns.push({ regex: '^node:', message: 'webviews run in a browser.' });
  return {
    files: [`src/${layer}/${'*/'.repeat(depth)}*.{ts,tsx}`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

const noDefaultExports = { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' };
// The name `z` is an object of all of zod, its translations included: 350 KB in every bundle that only wants a parser.
const wholeZod = {
  selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier", message: "import * as z from 'zod', which can be tree-shaken.",
};

// eslint.config.js is the one file whose tool demands a default export.
export default tseslint.config(
  { ignores: ['out/', 'dist/', 'node_modules/', 'test-results/', '.vscode-test/', 'test/fixtures/', 'docs/'] },
  {
    files: ['**/*.{js,mjs,cjs,ts,tsx}'],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      'max-lines': ['error', { max: 600 }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-syntax': ['error', noDefaultExports, wholeZod],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers and booleans in messages are meant; objects are not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The reason of an abort signal, or what a peer caught, is handed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // Flow analysis does not see what changes during an await, and values from outside are not always what their type says.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // By code points is what scanning for hidden characters wants.
      '@typescript-eslint/no-misused-spread': 'off',
      // An async function that satisfies an interface need not await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowStaticOnly: true }],
      '@typescript-eslint/unified-signatures': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: { 'no-console': ['error'] },
  },
  {
    // Command line output is what these write.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // Tests take apart what they just built: asserting presence and narrowing by hand would only repeat the assertion.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'mocha', name: ['suite', 'test'] }] }],
    },
  },
  ...Object.keys(layers).flatMap(layer => [0, 1, 2, 3, 4].map(depth => importRules(layer, depth))),
);
