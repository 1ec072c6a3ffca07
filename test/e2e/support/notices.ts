import * as vscode from 'vscode';
import { workbench } from '../../support/workbench/page.js';

/** Toasts do not appear while tests drive the workbench; the list of notifications holds the same. */
const item = '.notifications-center .notification-list-item';

/** Waits for a notification with the text, list open, and gives its whole text. */
export async function noticeWith(text: string, timeout = 20_000): Promise<string> {
  await vscode.commands.executeCommand('notifications.showList');
  await workbench.waitFor(`${item}:has-text("${text}")`, { timeout });
  return (await workbench.texts(`${item}:has-text("${text}")`))[0] ?? '';
}

/** Presses a button of the notification with the text. The list closes by itself when an older notification, the last one, goes: it is opened again. */
export async function pressInNotice(text: string, button: string): Promise<void> {
  await vscode.commands.executeCommand('notifications.showList');
  await workbench.click(`${item}:has-text("${text}") .monaco-button:has-text("${button}")`);
}

export async function clearNotices(): Promise<void> {
  await vscode.commands.executeCommand('notifications.clearAll');
  await vscode.commands.executeCommand('notifications.hideList');
}
