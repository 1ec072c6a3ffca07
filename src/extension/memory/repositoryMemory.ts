import { fileURLToPath } from 'node:url';
import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { type LoupeError, LoupeFailure, toError } from '../../base/errors.js';
import { Emitter, type Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { SettingKey } from '../../protocol/settings.js';
import type { Trust } from '../trust.js';
import { Appointment } from './appointment.js';
import type { RepositoryIndexClient } from './contextClient.js';
import type { MemoryState, OffReason } from './memoryState.js';
import { isBelow } from './folderPaths.js';
import { offError } from './memoryText.js';
import { memoryName, type Outcome, passes, type RememberDeps, rememberOnce, type Target, type Warm } from './rememberOnce.js';
import { wantedMemory, type WantedFrom } from './wantedMemory.js';

export interface MemoryDeps extends Omit<RememberDeps, 'index' | 'diskBytes'>, WantedFrom {
  readonly trust: Trust;
  readonly settings: WantedFrom['settings'] & { readonly onDidChange: Event<ReadonlySet<SettingKey>> };
  readonly model: WantedFrom['model'] & { readonly onDidChange: Event<void> };
  readonly serverTools?: WantedFrom['serverTools'] & { readonly onDidChange: Event<void> };
  /** URI of the folder in which the shown chat works. */
  readonly folder: { readonly current: string | undefined; readonly onDidChange: Event<void> };
  readonly index: RepositoryIndexClient;
  /** The user did something: typed, moved the cursor, asked. */
  readonly onActivity: Event<void>;
  /** A file was saved, or the window was come back to. */
  readonly onLook: Event<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Reading begins when the user has done nothing for so long. */
const idleMs = 5_000;
/** After a change the plan is looked at again when nothing was typed for so long. */
const quietMs = 20_000;
/** Looks at changes of files that change nothing here come further and further apart, up to this. */
const longestQuietMs = 5 * 60_000;
const retryMs = 10_000;
const powerMs = 60_000;
const mostRetries = 3;
/** Memories of other folders and models that are still known in this window. */
const mostWarm = 8;
const gigabyte = 2 ** 30; // as the audit counts

/** `saved`: takes only what is on disk, while the user may be about to ask. `explicit`: the user wants it now. */
type Way = 'saved' | 'idle' | 'explicit';
interface Run { readonly controller: AbortController; way: Way }

/**
 * Keeps the repository of the shown chat in the memory of the loaded model: asks for the plan while nobody works, has the sidecar read it behind everything
 * else, and looks again when files change. Loads no model. What it has read is on disk, so another window, a crash and a restart cost milliseconds.
 */
export class RepositoryMemory implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<MemoryState>());
  readonly onDidChange = this.changed.event;
  private shown: MemoryState = { state: 'cold' };
  private target: Target | undefined;
  /** By key; the one that was used last stands last. */
  private readonly warm = new Map<string, Warm>();
  /** Folders where it stays off until the user wants it again. */
  private readonly stopped = new Map<string, OffReason>();
  private run: Run | undefined;
  /** The runs so far: one at a time, also when the one before was given up. */
  private work: Promise<void> = Promise.resolve();
  private readonly appointment: Appointment;
  private retries = 0;
  private vainLooks = 0;

  constructor(private readonly deps: MemoryDeps) {
    const { trust, settings, model, folder, index, clock } = deps;
    this.appointment = this.disposables.add(new Appointment(clock, deps.timers, () => this.run !== undefined, () => this.begin('idle')));
    const add = (subscription: Disposable): Disposable => this.disposables.add(subscription);
    add(trust.onGranted(() => this.update()));
    add(model.onDidChange(() => this.update()));
    add(folder.onDidChange(() => this.update()));
    if (deps.serverTools) add(deps.serverTools.onDidChange(() => this.update()));
    add(settings.onDidChange((keys) => {
      if (keys.has('loupe.memory.diskGigabytes')) this.applyDiskBudget();
      if ([...keys].some((key) => /^loupe\.(?:memory|model)\./u.test(key))) this.update();
    }));
    add(index.onStarted(() => {
      if (this.run === undefined && this.shown.state === 'waiting') this.begin('saved');
      else this.arm(idleMs, idleMs);
    }));
    add(index.onIndexState((state) => {
      if (state.state === 'indexing' && state.folder === this.target?.folder && this.shown.state === 'indexing') this.show({ state: 'indexing', done: state.done, total: state.total });
    }));
    add(index.onFilesChanged((uris) => {
      if (this.target !== undefined && isBelow(this.target.folder, uris)) this.arm(Math.min(longestQuietMs, quietMs * 2 ** this.vainLooks), quietMs);
    }));
    add(deps.onActivity(() => this.appointment.active()));
    add(deps.onLook(() => {
      this.vainLooks = 0;
      this.arm(quietMs, quietMs);
    }));
    this.update();
  }

  get state(): MemoryState {
    return this.shown;
  }

  /** What a new conversation of this folder takes; undefined where it is not warm for this model. */
  warmFor(uri: string | undefined, model: ChatModel): Warm | undefined {
    const wanted = wantedMemory(this.deps, uri);
    if ('state' in wanted || wanted.chat.model !== model || this.stopped.has(wanted.folder)) return undefined;
    return this.warm.get(wanted.key);
  }

  /** Begins at once, whatever the user does and whatever feeds the machine. Throws where it cannot. The model is loaded by the caller. */
  rememberNow(): void {
    const wanted = wantedMemory(this.deps, this.deps.folder.current);
    if ('state' in wanted) throw new LoupeFailure(offError(wanted));
    this.stopped.delete(wanted.folder);
    this.retries = this.vainLooks = 0;
    this.update();
    if (this.run !== undefined && this.run.way !== 'saved') this.run.way = 'explicit';
    else this.begin('explicit');
  }

  /** Ends what is under way; what was read and saved stays. Off in this folder until the user wants it again. */
  cancel(): void {
    if (this.target !== undefined) this.stop(this.target.folder, 'cancelled');
  }

  /** Removes index, plan and states of the chat's folder; off there until the user wants it again. Rejects with what could not be removed. */
  async forget(): Promise<void> {
    const uri = this.deps.folder.current;
    if (uri === undefined) throw new LoupeFailure(offError({ state: 'off', why: 'noFolder' }));
    const folder = fileURLToPath(uri);
    this.stop(folder, 'forgotten');
    for (const key of [...this.warm.keys()]) if (folderOf(key) === folder) this.warm.delete(key);
    await this.work;
    const { index, prefixes } = this.deps;
    const forgotten = await (await prefixes()).forget(memoryName(folder));
    const removed = await index.forget(folder, new AbortController().signal);
    if (!forgotten.ok) throw new LoupeFailure(forgotten.error);
    if (!removed.ok) throw new LoupeFailure(removed.error);
  }

  dispose(): void {
    this.abort();
    this.disposables.dispose();
  }

  private update(): void {
    const wanted = wantedMemory(this.deps, this.deps.folder.current);
    if ('state' in wanted) {
      this.abort();
      this.appointment.cancel();
      this.target = undefined;
      this.show(wanted);
      return;
    }
    const isNew = wanted.key !== this.target?.key;
    this.target = wanted;
    const why = this.stopped.get(wanted.folder);
    if (why !== undefined) {
      this.show({ state: 'off', why });
    } else if (isNew || (this.shown.state === 'off' && this.shown.why !== 'nothing')) {
      this.abort();
      this.appointment.cancel();
      this.retries = this.vainLooks = 0;
      this.showWarmOr({ state: 'waiting', until: 'idle' });
      this.begin('saved');
    }
  }

  /** An appointment to read, where it is not off. */
  private arm(delayMs: number, quiet: number): void {
    if (this.target !== undefined && !this.stopped.has(this.target.folder)) this.appointment.make(delayMs, quiet);
  }

  private begin(way: Way): void {
    const { target } = this;
    if (target === undefined || this.stopped.has(target.folder)) return;
    this.abort();
    this.appointment.cancel();
    const run: Run = { controller: new AbortController(), way };
    this.run = run;
    this.work = this.work.then(() => this.perform(target, run)).finally(() => {
      if (this.run === run) this.run = undefined;
    });
  }

  private abort(): void {
    this.run?.controller.abort();
    this.run = undefined;
  }

  /** Never rejects. */
  private async perform(target: Target, run: Run): Promise<void> {
    const { signal } = run.controller;
    if (signal.aborted) return;
    const before = this.warm.get(target.key);
    const show = (state: MemoryState): void => {
      if (!signal.aborted) this.show(state);
    };
    const savedOnly = run.way === 'saved';
    if (before === undefined && !savedOnly) show({ state: 'indexing', done: 0, total: 0 });
    let outcome: Outcome;
    try {
      const diskBytes = (): number => this.diskBytes;
      outcome = await rememberOnce({ ...this.deps, diskBytes }, target, { before, savedOnly, explicit: () => run.way === 'explicit', show }, signal);
    } catch (thrown) {
      outcome = { is: 'failed', error: toError(thrown) };
    }
    if (!signal.aborted) this.finish(target, run, outcome);
  }

  private finish(target: Target, run: Run, outcome: Outcome): void {
    this.run = undefined;
    if (run.way === 'saved' && outcome.is !== 'warm') {
      this.arm(idleMs, idleMs); // with more time, and with what it has to say
      return;
    }
    if (outcome.is !== 'failed') this.retries = 0;
    switch (outcome.is) {
      case 'warm':
        this.keep(target.key, outcome.warm);
        this.vainLooks = 0;
        this.arm(quietMs, quietMs); // what changed meanwhile, or what another window has planned at the same time
        break;
      case 'unchanged':
        this.vainLooks = Math.min(this.vainLooks + 1, 10);
        break;
      case 'incomplete':
        this.arm(powerMs, 0);
        break;
      case 'nothing':
        this.show({ state: 'off', why: 'nothing' });
        return;
      case 'removed':
        this.warm.delete(target.key);
        this.stop(target.folder, 'removed');
        return;
      case 'failed':
        this.failed(outcome.error);
        return;
    }
    this.showWarmOr(this.shown);
    this.deps.logger.log('info', 'Repository memory', { outcome: outcome.is, way: run.way, ...(outcome.is === 'warm' ? { tokens: outcome.warm.tokens, bytes: outcome.warm.bytes } : {}) });
  }

  private failed(error: LoupeError): void {
    this.deps.logger.log('warn', 'The repository is not remembered', { code: error.code, message: error.message, cause: error.cause });
    if (passes(error) && this.retries < mostRetries) {
      this.retries += 1;
      this.showWarmOr({ state: 'waiting', until: 'idle' });
      this.arm(retryMs, idleMs);
      return;
    }
    this.show({ state: 'failed', error });
  }

  private stop(folder: string, why: OffReason): void {
    this.stopped.set(folder, why);
    if (this.target?.folder === folder) {
      this.abort();
      this.appointment.cancel();
    }
    this.update();
  }

  private keep(key: string, warm: Warm): void {
    this.warm.delete(key);
    this.warm.set(key, warm);
    for (const old of [...this.warm.keys()].slice(0, -mostWarm)) this.warm.delete(old);
  }

  private showWarmOr(otherwise: MemoryState): void {
    const warm = this.target && this.warm.get(this.target.key);
    this.show(warm ? { state: 'warm', tokens: warm.tokens, bytes: warm.bytes } : otherwise);
  }

  private show(state: MemoryState): void {
    if (this.disposables.isDisposed || JSON.stringify(state) === JSON.stringify(this.shown)) return;
    this.shown = state;
    this.changed.fire(state);
  }

  private get diskBytes(): number {
    return Math.round(this.deps.settings.get('loupe.memory.diskGigabytes') * gigabyte);
  }

  /** Where no model is loaded the sidecar may not run: it hears of it with the next memory. */
  private applyDiskBudget(): void {
    if (this.target === undefined) return;
    const apply = async (): Promise<void> => {
      const applied = await (await this.deps.prefixes()).setBudget(this.diskBytes);
      if (!applied.ok) throw new LoupeFailure(applied.error);
    };
    apply().catch((thrown: unknown) => this.deps.logger.log('warn', 'The disk budget of the memory could not be set', { error: toError(thrown) }));
  }
}

const folderOf = (key: string): unknown => (JSON.parse(key) as unknown[])[0];
