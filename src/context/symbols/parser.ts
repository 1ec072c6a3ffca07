import { readFile } from 'node:fs/promises';
import { Language as Grammar, Parser, Query } from 'web-tree-sitter';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { extractFacts } from './extract.js';
import { type FileFacts, noFacts } from './facts.js';
import type { Language } from './languages.js';

/** Where the WebAssembly of the parser and of the grammars lies, by file name. */
export type WasmFiles = (name: string) => string;

export interface SymbolParser {
  /** Never rejects: what cannot be parsed has no symbols. */
  parse(language: Language, text: string): Promise<FileFacts>;
}

/** File name of the parser itself. */
export const runtimeWasm = 'web-tree-sitter.wasm';

/**
 * Part of the key under which facts are cached: raised when queries, extraction or grammars change what is found in the same text.
 */
export const factsVersion = 1;

/** Milliseconds for one file. The slowest that people write takes a fifth; the rest was made to be slow. */
const longestParseMs = 1_000;
/** States of unfinished matches that a query may keep; more of them means a text that was made for it. */
const matchLimit = 16_384;

interface Loaded { readonly grammar: Grammar; readonly query: Query }

/** tree-sitter with the queries of `languages.ts`. Grammars are loaded when a file first needs them. */
export class TreeSitterParser implements SymbolParser {
  private parser: Promise<Parser> | undefined;
  private readonly loaded = new Map<string, Promise<Loaded>>();

  constructor(private readonly files: WasmFiles, private readonly logger: Logger) {}

  async parse(language: Language, text: string): Promise<FileFacts> {
    try {
      this.parser ??= this.start();
      const parser = await this.parser;
      const { grammar, query } = await this.load(language);
      parser.setLanguage(grammar);
      const end = performance.now() + longestParseMs;
      const late = (): boolean => performance.now() > end;
      const tree = parser.parse(text, null, { progressCallback: late });
      if (tree === null) {
        parser.reset();
        this.logger.log('warn', 'A file took too long to parse and has no symbols', { language: language.id, characters: text.length });
        return noFacts;
      }
      try {
        return extractFacts(text, language.family, query.matches(tree.rootNode, { matchLimit, progressCallback: late }));
      } finally {
        tree.delete();
      }
    } catch (error) {
      this.logger.log('warn', 'A file could not be parsed and has no symbols', { language: language.id, cause: messageOf(error) });
      return noFacts;
    }
  }

  private async start(): Promise<Parser> {
    // As bytes: in a bundle the library would look for the file beside itself.
    await Parser.init({ wasmBinary: await readFile(this.files(runtimeWasm)) });
    return new Parser();
  }

  private load(language: Language): Promise<Loaded> {
    let loading = this.loaded.get(language.id);
    if (loading === undefined) {
      loading = readFile(this.files(language.grammar)).then(async (bytes) => {
        const grammar = await Grammar.load(bytes);
        return { grammar, query: new Query(grammar, language.query) };
      });
      this.loaded.set(language.id, loading);
    }
    return loading;
  }
}
