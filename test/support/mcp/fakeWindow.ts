import { ChangeLog } from '../../../src/agent/window/changeLog.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { silentLogger } from '../../../src/base/logger.js';
import { WindowServer, type WindowService } from '../../../src/extension/window/windowServer.js';
import type { EffectOutcome } from '../../../src/protocol/window.js';

/** What a test's window does and has seen. */
export interface FakeWindow {
  /** Unsaved text by path. */
  readonly buffers: Map<string, string>;
  /** What the editor tells of changes. */
  readonly changes: ChangeLog;
  /** How the user decides. */
  decide: (what: string, signal: AbortSignal) => Promise<'accepted' | 'rejected'>;
  /** What had an effect, in order. */
  readonly effects: string[];
  readonly service: WindowService;
  allowed: boolean;
  /** Whether the folder is open in it. */
  open: boolean;
}

/** The editor's side of a window as far as a test needs it: real files and a real socket, with buffers and decisions that the test sets. */
export function fakeWindow(root: string, ripgrep: string): FakeWindow {
  const files = new NodeWorkspace(root, ripgrep);
  const buffers = new Map<string, string>();
  const effects: string[] = [];
  const changes = new ChangeLog();
  const effect = async (what: string, signal: AbortSignal): Promise<EffectOutcome> => {
    if (await window.decide(what, signal) === 'rejected') return { outcome: 'refused', content: 'The user did not allow it.', truncated: false };
    effects.push(what);
    return { outcome: 'ok', content: `Done: ${what}`, truncated: false };
  };
  const service: WindowService = {
    listFiles: ({ limit, glob, under }, signal) => files.listFiles({ limit, ...(glob === undefined ? {} : { glob }), ...(under === undefined ? {} : { under }) }, signal),
    readFile: async ({ path }, signal) => {
      const onDisk = await files.readFile(path, signal);
      return { text: buffers.get(path) ?? onDisk, unsaved: buffers.has(path) };
    },
    searchText: ({ glob, ...options }, signal) => files.searchText({ ...options, ...(glob === undefined ? {} : { glob }) }, signal),
    findSymbol: ({ name, limit }, signal) => files.findSymbol(name, limit, signal),
    fileSymbols: async ({ path }) => [{ name: path, kind: 'function', line: 1, endLine: 1, depth: 0 }],
    related: async ({ about }) => ({ files: [{ path: 'a.ts', why: 'named', symbols: [{ name: 'load', kind: 'function', signature: 'function load()' }] }], unknown: about.filter((word) => word !== 'load') }),
    references: async ({ name, limit }, signal) => {
      const { matches, truncated } = await files.searchText({ pattern: name, regex: false, caseSensitive: true, limit }, signal);
      return { references: matches, source: 'languageServer', truncated };
    },
    diagnostics: async ({ path }) => [{ path: path ?? 'a.ts', line: 1, severity: 'error', message: 'wrong\u202e', source: 'test' }],
    openEditors: async () => [{ path: 'a.ts', active: true, visible: true, unsaved: buffers.has('a.ts'), selection: { start: { line: 1, column: 1 }, end: { line: 2, column: 1 }, text: 'selected\n' } }],
    changes: ({ after }, signal) => changes.since(after, signal),
    proposeEdit: ({ path, client }, signal) => effect(`${client} edits ${path}`, signal),
    runCommand: ({ command, client }, signal) => effect(`${client} runs ${command}`, signal),
    tasks: async () => [{ name: 'build', source: 'npm', group: 'build' }],
    runTask: ({ name, client }, signal) => effect(`${client} runs task ${name}`, signal),
  };
  const window: FakeWindow = { buffers, effects, changes, service, allowed: true, open: true, decide: async () => 'accepted' };
  return window;
}

export async function openWindow(stateDir: string, root: string, window: FakeWindow): Promise<WindowServer> {
  const server = await WindowServer.start({ stateDir, service: (folder) => (folder === root && window.open ? window.service : undefined), allowed: () => window.allowed, logger: silentLogger });
  await server.offer([root]);
  return server;
}
