import { systemClock } from '../../../src/base/clock.js';
import { type Disposable, toDisposable } from '../../../src/base/disposable.js';
import { silentLogger } from '../../../src/base/logger.js';
import { IndexService } from '../../../src/context/index/indexService.js';
import type { TokenCounter } from '../../../src/context/plan/tokenCounter.js';
import { MemoryStore } from '../../../src/context/store/indexStore.js';
import type { MemoryPlan } from '../../../src/protocol/context.js';
import { never, treeSitter } from './repository.js';

/** The index of a folder that is there already, with a real tokenizer; nothing is watched but what the caller says. */
export class FolderIndex implements Disposable {
  private onChange: (paths: readonly string[]) => void = () => undefined;
  private readonly service: IndexService;

  constructor(private readonly folder: string, private readonly counter: TokenCounter) {
    this.service = new IndexService({
      openStore: () => new MemoryStore(), removeStore: () => undefined, parser: treeSitter,
      files: { watch: (_, onChange) => {
        this.onChange = onChange;
        return toDisposable(() => undefined);
      } },
      openFiles: () => [], changeCounts: async () => new Map(), clock: systemClock, logger: silentLogger,
    });
  }

  plan(budget: number): Promise<MemoryPlan> {
    return this.service.plan(this.folder, this.counter, { budget, keep: false }, never);
  }

  changed(paths: readonly string[]): void {
    this.onChange(paths);
  }

  dispose(): void {
    this.service.dispose();
  }
}
