import { randomBytes } from 'node:crypto';
import type * as vscode from 'vscode';
import type * as z from 'zod';
import { type Disposable, DisposableStore } from '../base/disposable.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { webviewHtml } from './webviewHtml.js';

export interface WebviewHostOptions<In, Out> {
  readonly webview: vscode.Webview;
  readonly extensionUri: vscode.Uri;
  /** Folder of the bundle under `dist/webviews`. */
  readonly bundle: 'chat' | 'trace';
  readonly title: string;
  /** Everything that comes from the view is checked against it; what does not match is logged and dropped. */
  readonly schema: z.ZodType<In>;
  /** Called for every valid message, `ready` included: answer that one with the whole state. */
  readonly onMessage: (message: In) => void | Promise<void>;
  /**
   * Messages that the whole state does not repeat (a notice, a prefilled question): kept while no view can receive, and sent
   * after it is ready. All others are dropped then, because the state that answers `ready` contains them.
   */
  readonly keep: (message: Out) => boolean;
  readonly logger: Logger;
}

/**
 * The host's end of the one transport to a webview: gives it its page, validates what it sends, and loses nothing when it is
 * hidden, reloaded or not yet there. Order is kept: the state that answers `ready` comes before what was waiting.
 */
export class WebviewHost<In extends { readonly type: string }, Out extends { readonly type: string }> implements Disposable {
  private readonly disposables = new DisposableStore();
  private ready = false;
  private waiting: Out[] = [];

  constructor(private readonly options: WebviewHostOptions<In, Out>) {
    const { webview, extensionUri, bundle, title } = options;
    const folder = extensionUri.with({ path: `${extensionUri.path.replace(/\/$/, '')}/dist/webviews` });
    const file = (name: string): string => webview.asWebviewUri(folder.with({ path: `${folder.path}/${bundle}/${name}` })).toString();
    // Views hold no form: a sandbox without forms would swallow the submit event, and with forms model text could try one.
    webview.options = { enableScripts: true, enableForms: false, enableCommandUris: false, localResourceRoots: [folder] };
    this.disposables.add(webview.onDidReceiveMessage((data: unknown) => void this.receive(data)));
    webview.html = webviewHtml({
      cspSource: webview.cspSource,
      script: file('main.js'),
      style: file('main.css'),
      nonce: randomBytes(24).toString('base64url'),
      title,
    });
  }

  /** Sends a message, or keeps it for the next `ready` where the options say so. */
  post(message: Out): void {
    if (!this.ready) {
      if (this.options.keep(message)) this.waiting.push(message);
      return;
    }
    this.options.webview.postMessage(message).then(
      (delivered) => {
        if (delivered) return;
        this.ready = false; // hidden: its content is gone and says `ready` again when it is shown
        if (this.options.keep(message)) this.waiting.push(message);
      },
      (error: unknown) => this.options.logger.log('warn', 'A webview message was not delivered', { type: message.type, error: messageOf(error) }),
    );
  }

  dispose(): void {
    this.ready = false;
    this.waiting = [];
    this.disposables.dispose();
  }

  private async receive(data: unknown): Promise<void> {
    const { schema, onMessage, logger } = this.options;
    const parsed = schema.safeParse(data);
    if (!parsed.success) {
      logger.log('warn', 'A webview sent a message that is not in the protocol', { problem: parsed.error.message });
      return;
    }
    if (parsed.data.type === 'ready') this.ready = true;
    try {
      await onMessage(parsed.data);
    } catch (error) {
      logger.log('error', 'A webview message could not be handled', { type: parsed.data.type, error: messageOf(error) });
    }
    if (parsed.data.type === 'ready') for (const message of this.waiting.splice(0)) this.post(message);
  }
}
