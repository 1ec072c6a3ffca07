import * as vscode from 'vscode';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import type { ChatModel } from '../../model/chatModel.js';
import { cleanCommitMessage, commitMessages } from '../../agent/commitPrompt.js';
import { gitRepository, stagedOrWorkingDiff } from './gitRepository.js';

/** Longest commit message, in tokens. */
const maxTokens = 200;

/** One for all, so that the second message takes the place of the first one in the cache, and not that of a chat. */
const conversation = 'commit-message';

/** Characters of the diff for each token of the context: about half of the context, which leaves room for the answer. */
const charactersPerToken = 1.5;

/** Writes a message for what is staged, else for what has changed, into the input of Source Control. Never commits. */
export async function writeCommitMessage(
  folder: vscode.Uri,
  acquire: (signal: AbortSignal) => Promise<Result<ChatModel>>,
): Promise<void> {
  const repository = await gitRepository(folder);
  const diff = await stagedOrWorkingDiff(repository);
  if (diff.trim() === '') {
    void vscode.window.showInformationMessage('There are no changes to describe.');
    return;
  }
  const message = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'Loupe writes a commit message', cancellable: true },
    async (_progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return answer(diff, acquire, controller.signal);
    },
  );
  if (message === undefined) return;
  const input = await besideTyped(repository.inputBox.value, message);
  if (input === undefined) return;
  repository.inputBox.value = input;
  await vscode.commands.executeCommand('workbench.view.scm');
}

/** What goes into the input that may hold the user's own words: they decide. Undefined: it stays as it is. */
async function besideTyped(typed: string, message: string): Promise<string | undefined> {
  if (typed.trim() === '' || typed === message) return message;
  const detail = message.replace(/\s+/g, ' ');
  const chosen = await vscode.window.showQuickPick([
    { label: '$(replace) Replace', description: 'what you typed', detail, input: message },
    { label: '$(add) Add below', description: 'after what you typed', detail, input: `${typed.trimEnd()}\n\n${message}` },
    { label: '$(close) Keep what is there', input: undefined },
  ], { title: 'The Commit Message Is Not Empty', placeHolder: typed.trim().split('\n')[0] ?? '', ignoreFocusOut: true });
  return chosen?.input;
}

async function answer(diff: string, acquire: (signal: AbortSignal) => Promise<Result<ChatModel>>, signal: AbortSignal): Promise<string | undefined> {
  const model = await acquire(signal);
  if (!model.ok) throw new LoupeFailure(model.error);
  const messages = commitMessages(diff, Math.floor(model.value.info.contextSize * charactersPerToken));
  let text = '';
  for await (const event of model.value.chat({ conversation, messages, tools: [], toolChoice: 'none', maxTokens }, signal)) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'failed') throw new LoupeFailure(event.error);
  }
  if (signal.aborted) return undefined;
  const message = cleanCommitMessage(text);
  if (message === '') throw failure('model.emptyAnswer', 'The model gave no commit message.', 'Try again, or choose a larger model.');
  return message;
}
