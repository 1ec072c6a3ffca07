import type { Disposable } from '../../base/disposable.js';
import { toDisposable } from '../../base/disposable.js';

interface VsCodeApi { postMessage(message: unknown): void }
declare function acquireVsCodeApi(): VsCodeApi;

/** A view's end of the transport: `Out` goes to the extension host, `In` comes from it. */
export interface HostApi<In, Out> {
  post(message: Out): void;
  onMessage(listener: (message: In) => void): Disposable;
}

/** Takes the one API object that VS Code gives a webview; it may be called once per document. */
export function connectToHost<In extends { readonly type: string }, Out>(): HostApi<In, Out> {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    onMessage: (listener) => {
      const receive = (event: MessageEvent<unknown>): void => {
        if (isMessage(event.data)) listener(event.data as In);
      };
      window.addEventListener('message', receive);
      return toDisposable(() => window.removeEventListener('message', receive));
    },
  };
}

/** The host is trusted, its shape is checked by the compiler; this only keeps out messages that are not the host's (browser extensions, tools). */
function isMessage(data: unknown): data is { readonly type: string } {
  return typeof data === 'object' && data !== null && 'type' in data && typeof data.type === 'string';
}
