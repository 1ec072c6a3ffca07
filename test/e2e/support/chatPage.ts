import * as vscode from 'vscode';
import { type Surface, webview, workbench } from '../../support/workbench/page.js';

/** The chat view, told apart from other webviews by its question box. */
export const chat: Surface = webview('textarea[aria-label="Question"]');
export const trace: Surface = webview('.trace');

/** A small model on a busy machine reads slowly. Milliseconds. */
export const modelTimeout = 420_000;

export async function openChat(): Promise<void> {
  await vscode.commands.executeCommand('loupe.chat.focus');
  await workbench.waitFor('iframe.webview.ready', { state: 'attached' });
  await chat.waitFor('textarea[aria-label="Question"]');
}

/** Types a question and sends it with the button. */
export async function ask(question: string): Promise<void> {
  await chat.fill('textarea[aria-label="Question"]', question);
  await chat.click('button[aria-label="Ask"]', { timeout: modelTimeout });
}

/** Waits until the last turn has ended and gives its text. */
export async function answered(): Promise<string> {
  await chat.waitFor('article.turn:last-of-type[aria-busy="false"] footer.gate', { timeout: modelTimeout });
  return (await chat.texts('article.turn')).at(-1) ?? '';
}

export async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function setUserSettings(values: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    await vscode.workspace.getConfiguration().update(key, value, vscode.ConfigurationTarget.Global);
  }
}

export function workspaceRoot(): string {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new Error('no folder is open');
  return folder.uri.fsPath;
}

/** For pictures only: lists and dialogs fade in. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));
