import { appendFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import { type Disposable, toDisposable } from '../../../src/base/disposable.js';
import { silentLogger } from '../../../src/base/logger.js';
import { IndexService } from '../../../src/context/index/indexService.js';
import type { TokenCounter } from '../../../src/context/plan/tokenCounter.js';
import { type IndexStore, MemoryStore } from '../../../src/context/store/indexStore.js';
import type { FileFacts } from '../../../src/context/symbols/facts.js';
import type { Language } from '../../../src/context/symbols/languages.js';
import { type SymbolParser, TreeSitterParser } from '../../../src/context/symbols/parser.js';
import type { MemoryPlan } from '../../../src/protocol/context.js';
import { wasmFile } from './wasm.js';

export const treeSitter = new TreeSitterParser(wasmFile, silentLogger);
export const never = new AbortController().signal;

/** Four characters to a token. */
export const counter: TokenCounter = { id: 'test', countTokens: async (texts) => texts.map((text) => Math.ceil(text.length / 4)) };

/** Counts what it parses. */
export class CountingParser implements SymbolParser {
  readonly parsed: string[] = [];

  async parse(language: Language, text: string): Promise<FileFacts> {
    this.parsed.push(text);
    return await treeSitter.parse(language, text);
  }
}

/** A folder on disk and an index service over it; nothing is watched but what a test says. */
export class Repository implements Disposable {
  readonly parser = new CountingParser();
  open: readonly string[] = [];
  changes: ReadonlyMap<string, number> = new Map();
  service: IndexService;
  private onChange: (paths: readonly string[]) => void = () => undefined;

  private constructor(readonly root: string, private readonly base: string, private readonly store: () => IndexStore) {
    this.service = this.start();
  }

  /** `store` opens the store of a new service: a new one in memory each time, unless said otherwise. */
  static async make(files: Readonly<Record<string, string | Buffer>>, store: () => IndexStore = () => new MemoryStore()): Promise<Repository> {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-context-')));
    const repository = new Repository(join(base, 'shop'), base, store);
    await mkdir(repository.root);
    for (const [path, content] of Object.entries(files)) await repository.write(path, content);
    return repository;
  }

  /** Of a folder outside the root, for links. */
  outside(name: string): string {
    return join(this.base, name);
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await writeFile(join(this.root, path), content);
  }

  async append(path: string, content: string): Promise<void> {
    await appendFile(join(this.root, path), content);
    this.changed(path);
  }

  changed(...paths: string[]): void {
    this.onChange(paths);
  }

  async plan({ budget = 60_000, keep = false, tokenizer = counter }: { budget?: number; keep?: boolean; tokenizer?: TokenCounter } = {}): Promise<MemoryPlan> {
    return await this.service.plan(this.root, tokenizer, { budget, keep }, never);
  }

  /** As after a restart of the process. */
  restart(): void {
    this.service.dispose();
    this.service = this.start();
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.root, path), { recursive: true });
    this.changed(path);
  }

  dispose(): void {
    this.service.dispose();
    void rm(this.base, { recursive: true, force: true });
  }

  private start(): IndexService {
    return new IndexService({
      openStore: () => this.store(), removeStore: () => undefined, parser: this.parser,
      files: { watch: (_, onChange) => {
        this.onChange = onChange;
        return toDisposable(() => undefined);
      } },
      openFiles: () => this.open, changeCounts: async () => this.changes, clock: systemClock, logger: silentLogger,
    });
  }
}

/** All that a prompt would hold of a plan. */
export const textOf = ({ blocks }: MemoryPlan): string => blocks.map(({ text }) => text).join('');
