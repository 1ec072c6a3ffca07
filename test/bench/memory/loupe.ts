import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { turnPrefix } from '../../../src/agent/prefix.js';
import { tokenizerOf } from '../../../src/languageServer/context/tokenizer.js';
import { LocalChatModel } from '../../../src/model/localChatModel.js';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { MemoryPlan } from '../../../src/protocol/context.js';
import type { RememberResult, SnapshotInfo } from '../../../src/protocol/memory.js';
import type { GenerateResult, LoadedModel, PromptSegment } from '../../../src/protocol/sidecar.js';
import { editorTools } from '../../support/agent/editorTools.js';
import { FolderIndex } from '../../support/context/folderIndex.js';
import { never } from '../../support/context/repository.js';
import { generate, loadParams, request, value, Workplace } from '../../support/sidecar/harness.js';

/** First: from the call to the first text, milliseconds. */
export interface Answer extends GenerateResult { readonly firstMs: number }

/** `stateDir`: a folder in which what was read stays. */
export interface Setup { readonly contextSize: number; readonly threads: number; readonly budget: number; readonly stateDir?: string | undefined }

/** Asked at the end of the prefix; with the format's own tokens around it 40 tokens. */
export const question = 'Write a long and thorough overview of this repository: what it is for, which files matter most, and how they work together.';
/** As the user's turn of a ChatML prompt whose system turn ended just before. */
const turn: readonly PromptSegment[] = [
  { text: '<|im_end|>\n<|im_start|>user\n', control: true }, { text: question, control: false }, { text: '<|im_end|>\n<|im_start|>assistant\nTool: none\n', control: true },
];

/** A repository in a real sidecar, by the product's own ways: index, plan, prompt, memory. */
export class RememberedRepository {
  private constructor(private readonly place: Workplace, private readonly client: SidecarSupervisor, readonly loaded: LoadedModel, private readonly index: FolderIndex, private readonly folder: string, private readonly setup: Setup) {}

  static async open(folder: string, setup: Setup): Promise<RememberedRepository> {
    const place = await Workplace.make(setup.stateDir);
    const client = place.client();
    const loaded = value(await client.load(loadParams('qwen', { contextSize: setup.contextSize, kvPreset: 'balanced', threads: setup.threads })));
    return new RememberedRepository(place, client, loaded, new FolderIndex(folder, await tokenizerOf(client, 'chat')), folder, setup);
  }

  plan(changed: readonly string[] = []): Promise<MemoryPlan> {
    this.index.changed(changed);
    return this.index.plan(this.setup.budget);
  }

  /** What every prompt begins with. */
  prefix({ mode, blocks }: MemoryPlan): PromptSegment[] {
    const { system, tools: offered } = turnPrefix(editorTools(this.folder).tools, 'full', { mode, blocks: blocks.map(({ text }) => text) });
    return new LocalChatModel(this.client, this.loaded).prefix(system, offered);
  }

  async count(segments: readonly PromptSegment[]): Promise<number> {
    return value(await this.client.tokenize('chat', segments)).tokens.length;
  }

  /** Whether all of the prefix is saved already. */
  async isSaved(prefix: readonly PromptSegment[]): Promise<boolean> {
    const stats = value(await this.client.prefixes.restore({ id: randomUUID(), role: 'chat', conversation: randomUUID(), prompt: [...prefix] }, {}, never));
    return stats.reused === stats.tokens;
  }

  /** What is saved under the name that `remember` uses here; undefined when nothing is. */
  async savedState(): Promise<SnapshotInfo | undefined> {
    return value(await this.client.prefixes.list()).snapshots.find(({ memory }) => memory === memoryName);
  }

  async remember(prefix: readonly PromptSegment[]): Promise<RememberResult> {
    return value(await this.client.prefixes.remember({ id: randomUUID(), role: 'chat', memory: memoryName, prompt: [...prefix] }, {}, never));
  }

  /** Asks {@link question} in a conversation of its own. */
  async ask(prefix: readonly PromptSegment[], maxTokens: number): Promise<Answer> {
    const began = performance.now();
    const { result, times } = await generate(this.client, request(withQuestion(prefix), { conversation: randomUUID(), maxTokens }));
    return { ...value(result), firstMs: (times[0] ?? Number.NaN) - began };
  }

  /** A fresh process with the model loaded; what is saved has had the time to be checked that a user leaves it. */
  async restart(): Promise<void> {
    value(await this.client.restart());
    value(await this.client.load(loadParams('qwen', { contextSize: this.setup.contextSize, kvPreset: 'balanced', threads: this.setup.threads })));
    await sleep(2_000);
  }

  async end(): Promise<void> {
    this.index.dispose();
    await this.place.end();
  }
}

const memoryName = 'bench';

export const withQuestion = (prefix: readonly PromptSegment[]): PromptSegment[] => [...prefix, ...turn];
export const questionSegments: readonly PromptSegment[] = turn;
