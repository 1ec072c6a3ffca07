import assert from 'node:assert/strict';
import { register } from 'node:module';
import type * as vscode from 'vscode';
import { commands, views } from '../../../src/protocol/commands.js';

/** What the stand-in for the editor's API was told, in order. */
const registered: string[] = [];
const disposable = { dispose: () => undefined };
const remember = (id: string): typeof disposable => {
  registered.push(id);
  return disposable;
};
Object.assign(globalThis, {
  loupeTestEditor: {
    commands: { registerCommand: remember },
    window: { createOutputChannel: () => disposable, registerWebviewViewProvider: remember },
  },
});

const moduleOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
const standIn = moduleOf('export const { commands, window } = globalThis.loupeTestEditor;');
register(moduleOf(`
  export const resolve = (name, context, next) => (name === 'vscode' ? { url: ${JSON.stringify(standIn)}, shortCircuit: true } : next(name, context));
`));

suite('activation', () => {
  test('registers every command and view of the tables before it returns, and nothing else', async () => {
    const { activate } = await import('../../../src/extension/main.js');
    const subscriptions: unknown[] = [];
    const { setImmediate: later } = globalThis;
    let composes = 0;
    globalThis.setImmediate = (() => { composes += 1; }) as unknown as typeof setImmediate; // what follows is not activation
    try {
      activate({ subscriptions } as unknown as vscode.ExtensionContext);
    } finally {
      globalThis.setImmediate = later;
    }
    assert.deepEqual(registered, [...Object.keys(commands), ...Object.values(views)]);
    assert.equal(subscriptions.length, registered.length + 1, 'each is disposed with the extension, and so is the log');
    assert.equal(composes, 1);
  });
});
