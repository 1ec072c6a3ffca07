import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout, from the compiled file in out/test/support/workbench. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
export const testExtension = path.join(root, 'test', 'support', 'workbench', 'testExtension');
export const mochaEntry = path.join(root, 'test', 'support', 'workbench', 'mochaEntry.cjs');
export const screenshots = path.join(root, 'test-results', 'screenshots');
