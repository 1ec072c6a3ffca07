import { Emitter } from '../../../src/base/event.js';
import type { LoupeError } from '../../../src/base/errors.js';
import { makeError } from '../../../src/base/errors.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import type { Engine, GenerateHandlers } from '../../../src/model/engine.js';
import { emptyStats } from '../../../src/protocol/chat.js';
import type { PrefixStats } from '../../../src/protocol/memory.js';
import type { GenerateParams, GenerateResult, KvAudit, LoadedModel, LoadParams, ModelRole, ProbeResult, PromptSegment, RoleState, SidecarStatus } from '../../../src/protocol/sidecar.js';

export const coder: LoadedModel = {
  role: 'completion', path: '/models/qwen2.5-coder.gguf', name: 'Qwen2.5 Coder 0.5B', architecture: 'qwen2', fileBytes: 1, trainContext: 32768, contextSize: 4096,
  kvPreset: 'exact', kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 }, kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: true, loadMs: 1,
};

/** An engine that answers from a script; a token is four characters and takes `tokenMs`. */
export class ScriptedEngine implements Engine {
  private readonly roleEmitter = new Emitter<{ readonly role: ModelRole; readonly state: RoleState }>();
  readonly onRoleState = this.roleEmitter.event;
  readonly requests: GenerateParams[] = [];
  readonly loads: LoadParams[] = [];
  /** Text of every generation that was aborted, as far as it came. */
  readonly aborted: string[] = [];
  loaded: Result<LoadedModel> = ok(coder);
  answer: (params: GenerateParams) => string = () => '';
  failure: LoupeError | undefined;
  /** Ends every generation as if another client had asked for a newer one. */
  dropped = false;
  tokenMs = 0;
  loadMs = 0;

  async load(params: LoadParams): Promise<Result<LoadedModel>> {
    this.loads.push(params);
    await new Promise((resolve) => setTimeout(resolve, this.loadMs));
    return this.loaded;
  }

  async generate(params: GenerateParams, handlers: GenerateHandlers, signal: AbortSignal): Promise<Result<GenerateResult>> {
    this.requests.push(params);
    if (this.failure !== undefined) return err(this.failure);
    if (this.dropped) return ok({ text: '', stats: { ...emptyStats, finish: 'cancelled' } });
    const whole = this.answer(params);
    const stopAt = Math.min(...params.stop.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1), whole.length);
    const limit = params.maxTokens * 4;
    const text = whole.slice(0, Math.min(stopAt, limit));
    let sent = '';
    while (sent.length < text.length) {
      await new Promise((resolve) => setTimeout(resolve, this.tokenMs));
      if (signal.aborted) {
        this.aborted.push(sent);
        return ok({ text: sent, stats: { ...emptyStats, finish: 'cancelled' } });
      }
      const delta = text.slice(sent.length, sent.length + 4);
      sent += delta;
      handlers.onDelta?.({ id: params.id, text: delta, tokensOut: sent.length / 4 });
    }
    return ok({ text, stats: { ...emptyStats, tokensOut: sent.length / 4, finish: stopAt > limit ? 'length' : 'stop' } });
  }

  tokenize(_role: ModelRole, segments: readonly PromptSegment[]): Promise<Result<{ tokens: number[] }>> {
    const length = segments.reduce((sum, { text }) => sum + text.length, 0);
    return Promise.resolve(ok({ tokens: Array.from({ length: Math.ceil(length / 4) }, () => 0) }));
  }

  /** Says that the role changed, as the sidecar does for every client. */
  roleChanged(state: RoleState): void {
    this.roleEmitter.fire({ role: 'completion', state });
  }

  unload(): Promise<Result<null>> {
    return Promise.resolve(ok(null));
  }

  status(): Promise<Result<SidecarStatus>> {
    return Promise.resolve(err(unused));
  }

  prefill(): Promise<Result<PrefixStats>> {
    return Promise.reject(new Error('not scripted'));
  }

  probe(): Promise<Result<ProbeResult>> {
    return Promise.resolve(err(unused));
  }

  audit(): Promise<Result<KvAudit>> {
    return Promise.resolve(err(unused));
  }

  dispose(): void {
    this.roleEmitter.dispose();
  }
}

const unused = makeError('internal', 'The script has no answer to this.', 'Extend the script.');
