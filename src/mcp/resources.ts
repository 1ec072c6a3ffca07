import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { escapeName } from '../agent/tools/rows.js';
import { failure } from '../base/errors.js';
import { isSecretPath } from '../base/secretPaths.js';
import { normalisePath } from '../context/files/paths.js';
import type { WorkspaceChanges } from '../protocol/window.js';
import { offsetOf, pageOf } from './pages.js';
import type { ServedWorkspace } from './workspace/port.js';

export interface ResourceItem { readonly uri: string; readonly name: string; readonly description?: string; readonly mimeType: string }
export interface ResourceText { readonly uri: string; readonly mimeType: string; readonly text: string }

const filesPerPage = 200;
/** Longer files are read by lines, with the tool. Characters. */
const longestFile = 400_000;
const diagnosticsUri = 'loupe://diagnostics';

/** Files under their own `file:` addresses, as they are in the editor, and the problems that it shows. */
export async function listResources(workspace: ServedWorkspace, cursor: string | undefined, signal: AbortSignal): Promise<{ readonly items: readonly ResourceItem[]; readonly nextCursor?: string }> {
  const offset = offsetOf(cursor, 'resources');
  const { paths } = await workspace.listFiles({ limit: offset + filesPerPage + 1 }, signal);
  const { items, nextCursor } = pageOf(paths, offset, filesPerPage, 'resources');
  const files = items.map((path) => ({ uri: uriOf(workspace.root, path), name: escapeName(path), mimeType: mimeTypeOf(path) }));
  const problems = { uri: diagnosticsUri, name: 'diagnostics', description: 'Errors and warnings that the editor shows', mimeType: 'application/json' };
  return { items: workspace.window && offset === 0 ? [problems, ...files] : files, ...(nextCursor === undefined ? {} : { nextCursor }) };
}

export function resourceTemplates(workspace: ServedWorkspace): readonly { readonly uriTemplate: string; readonly name: string; readonly description: string }[] {
  const files = { uriTemplate: `${pathToFileURL(workspace.root).href}/{+path}`, name: 'file', description: 'A file of the workspace, unsaved changes included' };
  const problems = { uriTemplate: `${diagnosticsUri}/{+path}`, name: 'file diagnostics', description: 'Errors and warnings of one file' };
  return workspace.window ? [files, problems] : [files];
}

/** Throws `path.notFound` and `path.outsideWorkspace`, as reading by path does. */
export async function readResource(workspace: ServedWorkspace, uri: string, signal: AbortSignal): Promise<ResourceText> {
  if (workspace.window && isDiagnostics(uri)) {
    const path = diagnosticsPath(uri);
    const found = await workspace.diagnostics(path === '' ? undefined : path, signal);
    return { uri, mimeType: 'application/json', text: JSON.stringify(found, undefined, 1) };
  }
  const path = pathOf(workspace.root, uri);
  const { text } = await workspace.read(path, signal);
  if (text.length > longestFile) throw failure('tool.failed', `${path} is too long for one resource (${text.length} characters).`, 'Read parts of it with the tool read_file.');
  return { uri, mimeType: mimeTypeOf(path), text };
}

/** Which changes concern a resource. Throws for what can be no resource here. */
export function watchedBy(workspace: ServedWorkspace, uri: string): (changes: WorkspaceChanges) => boolean {
  if (workspace.window && isDiagnostics(uri)) {
    const path = diagnosticsPath(uri);
    const wanted = path === '' ? undefined : normalisePath(path, workspace.root);
    return ({ diagnostics, everything }) => everything || (wanted === undefined ? diagnostics.length > 0 : diagnostics.includes(wanted));
  }
  const path = pathOf(workspace.root, uri);
  if (isSecretPath(path)) throw failure('tool.refused', `${JSON.stringify(path)} may hold credentials and is not read.`, 'Ask the user for what you need from it.');
  return ({ files, everything }) => everything || files.includes(path);
}

const isDiagnostics = (uri: string): boolean => uri === diagnosticsUri || uri.startsWith(`${diagnosticsUri}/`);
const diagnosticsPath = (uri: string): string => decodeURIComponent(uri.slice(diagnosticsUri.length + 1));

/** Of a file that the path check let through; spaces and the like are escaped. */
const uriOf = (root: string, path: string): string => pathToFileURL(join(root, path)).href;

function pathOf(root: string, uri: string): string {
  const unknown = failure('path.notFound', `There is no resource ${JSON.stringify(uri.slice(0, 300))}.`, 'Use one of resources/list.');
  if (!/^file:\/\/\//i.test(uri) || !URL.canParse(uri)) throw unknown;
  const url = new URL(uri);
  // Escaped separators would be one name to the address and several to the file system.
  if (url.search !== '' || url.hash !== '' || /%2f|%5c|%00/i.test(url.pathname)) throw unknown;
  const path = normalisePath(fileURLToPath(url), root);
  if (path === '') throw unknown;
  return path;
}

const byEnding: Readonly<Record<string, string>> = {
  md: 'text/markdown', json: 'application/json', html: 'text/html', css: 'text/css', js: 'text/javascript', mjs: 'text/javascript', cjs: 'text/javascript',
  ts: 'text/x-typescript', tsx: 'text/x-typescript', py: 'text/x-python', xml: 'text/xml', yaml: 'application/yaml', yml: 'application/yaml', csv: 'text/csv', svg: 'image/svg+xml',
};

const mimeTypeOf = (path: string): string => byEnding[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'text/plain';
