import type { Engine } from '../../model/engine.js';
import { type FimFormat, takesContext } from '../../model/fillInMiddle.js';
import type { PromptBudget } from './budget.js';
import type { CursorText } from './cursorText.js';
import { headToLineEnd, type PrefixWindow, prefixWindow } from './promptWindow.js';
import { type Chunk, RecentChunks } from './recentChunks.js';

export interface PromptParts {
  readonly prefix: string;
  readonly suffix: string;
  readonly path: string;
  readonly context: readonly Chunk[];
}

interface Request {
  readonly uri: string;
  readonly path: string;
  readonly line: number;
  readonly cursor: CursorText;
}

/** Code has about three characters to a token; two are assumed where text is only cut to size and not counted. */
const cautiousCharsPerToken = 2;
/** Windows of so many files are remembered. */
const maxWindows = 32;

/** Chooses what of the files goes into a prompt, so that a prompt has as much of the one before it as possible as its prefix. */
export class PromptBuilder {
  private readonly windows = new Map<string, PrefixWindow>();
  private readonly recent = new RecentChunks();

  constructor(private readonly engine: Engine) {}

  visited({ uri, path, line, cursor }: Request): void {
    this.recent.visit({ uri, path, line, languageId: cursor.languageId, before: cursor.before, after: cursor.after });
  }

  /** Undefined when the tokenizer cannot be asked. */
  async build(request: Request, budget: PromptBudget, format: FimFormat, signal: AbortSignal): Promise<PromptParts | undefined> {
    const { uri, path, cursor } = request;
    const count = async (text: string): Promise<number> => {
      const result = await this.engine.tokenize('completion', [{ text, control: false }], signal);
      if (!result.ok) throw new TokenizerUnavailable();
      return result.value.tokens.length;
    };
    let window: PrefixWindow;
    try {
      window = await prefixWindow(cursor.before, this.windows.get(uri), budget.prefix, count);
    } catch (error) {
      if (error instanceof TokenizerUnavailable) return undefined;
      throw error;
    }
    this.remember(uri, window);
    return {
      prefix: window.text,
      suffix: headToLineEnd(cursor.after, budget.suffix * cautiousCharsPerToken),
      path,
      context: takesContext(format) ? this.recent.forFile(uri, cursor.languageId, budget.context * cautiousCharsPerToken) : [],
    };
  }

  reset(): void {
    this.windows.clear();
  }

  forget(uri: string): void {
    this.windows.delete(uri);
    this.recent.forget(uri);
  }

  private remember(uri: string, window: PrefixWindow): void {
    this.windows.delete(uri);
    this.windows.set(uri, window);
    for (const oldest of this.windows.keys()) {
      if (this.windows.size <= maxWindows) break;
      this.windows.delete(oldest);
    }
  }
}

class TokenizerUnavailable extends Error {}
