import net from 'node:net';
import readline from 'node:readline';
import type { PageRequest } from './actions.js';

/** The tests' side of the channel: a test runs in the extension host and asks the driver outside to act on the page. */
interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let connection: Promise<net.Socket> | undefined;
let nextId = 1;

function connect(): Promise<net.Socket> {
  const address = process.env['LOUPE_E2E_CHANNEL'];
  if (!address) return Promise.reject(new Error('LOUPE_E2E_CHANNEL is not set: this test needs the workbench driver'));
  return new Promise((resolve, reject) => {
    const socket = net.connect(address, () => resolve(socket));
    socket.on('error', reject);
    socket.unref();
    readline.createInterface({ input: socket }).on('line', line => {
      const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
      const one = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) one?.resolve(result);
      else one?.reject(new Error(error));
    });
  });
}

async function ask(request: PageRequest): Promise<unknown> {
  const socket = await (connection ??= connect());
  const id = nextId++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    socket.write(`${JSON.stringify({ id, request })}\n`);
  });
}

type Options = { readonly timeout?: number };

/** The workbench, or one webview in it. Selectors are playwright's; every method waits up to 15 s unless told otherwise. */
export class Surface {
  readonly #where: { view?: string };

  constructor(view?: string) {
    this.#where = view === undefined ? {} : { view };
  }

  async click(selector: string, options: Options & { button?: 'left' | 'right' } = {}): Promise<void> {
    await ask({ action: 'click', selector, ...this.#where, ...options });
  }

  async fill(selector: string, text: string, options: Options = {}): Promise<void> {
    await ask({ action: 'fill', selector, text, ...this.#where, ...options });
  }

  async waitFor(selector: string, options: Options & { state?: 'attached' | 'detached' | 'visible' | 'hidden' } = {}): Promise<void> {
    await ask({ action: 'waitFor', selector, ...this.#where, ...options });
  }

  /** The rendered text of every match, at once. */
  async texts(selector: string): Promise<readonly string[]> {
    return await ask({ action: 'texts', selector, ...this.#where }) as readonly string[];
  }

  async count(selector: string): Promise<number> {
    return await ask({ action: 'count', selector, ...this.#where }) as number;
  }

  async attribute(selector: string, name: string, options: Options = {}): Promise<string | null> {
    return await ask({ action: 'attribute', selector, name, ...this.#where, ...options }) as string | null;
  }

  /** Evaluates a JavaScript expression in the document; the value must be plain data. */
  async evaluate(expression: string): Promise<unknown> {
    return ask({ action: 'evaluate', expression, ...this.#where });
  }
}

export const workbench = new Surface();
/** The webview whose document matches `marker`. */
export const webview = (marker: string): Surface => new Surface(marker);

/** Presses keys wherever the focus is, in playwright's notation: `Tab`, `Control+Shift+P`. */
export async function press(key: string): Promise<void> {
  await ask({ action: 'press', key });
}
/** Types text wherever the focus is; `delay` is between two keys, in milliseconds. */
export async function type(text: string, delay = 0): Promise<void> {
  await ask({ action: 'type', text, delay });
}
/** Saves a picture of the whole page as test-results/screenshots/<name>.png. */
export async function screenshot(name: string): Promise<void> {
  await ask({ action: 'screenshot', name });
}
