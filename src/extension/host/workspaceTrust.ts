import * as vscode from 'vscode';
import type { Event } from '../../base/event.js';
import type { Trust } from '../trust.js';

export const workspaceTrust: Trust = {
  get granted() {
    return vscode.workspace.isTrusted;
  },
  onGranted: ((listener) => vscode.workspace.onDidGrantWorkspaceTrust(listener)) satisfies Event<void>,
};
