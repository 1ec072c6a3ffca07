import { Emitter } from '../../../src/base/event.js';
import { makeError } from '../../../src/base/errors.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import type { Engine, GenerateHandlers } from '../../../src/model/engine.js';
import { emptyStats, type GenerationStats } from '../../../src/protocol/chat.js';
import type { PrefixStats } from '../../../src/protocol/memory.js';
import type { GenerateParams, GenerateResult, KvAudit, LoadedModel, PrefillParams, ProbeParams, ProbeResult, SidecarStatus } from '../../../src/protocol/sidecar.js';

export interface ScriptedReply { readonly text: string; readonly stop?: string; readonly stats?: Partial<GenerationStats>; readonly error?: Parameters<typeof makeError> }

/** An engine that answers from a script and keeps what it was asked. */
export class ScriptedEngine implements Engine {
  readonly onRoleState = new Emitter<never>().event as Engine['onRoleState'];
  readonly generated: GenerateParams[] = [];
  readonly probed: ProbeParams[] = [];
  readonly prefilled: PrefillParams[] = [];

  constructor(private readonly script: { readonly probabilities?: readonly (readonly number[])[]; readonly replies: readonly ScriptedReply[] }) {}

  generate(params: GenerateParams, handlers: GenerateHandlers): Promise<Result<GenerateResult>> {
    const reply = this.script.replies[this.generated.length];
    this.generated.push(params);
    if (reply === undefined) throw new Error('The script has no more replies');
    if (reply.error !== undefined) return Promise.resolve(err(makeError(...reply.error)));
    for (const text of reply.text) handlers.onDelta?.({ id: params.id, text, tokensOut: 1 });
    return Promise.resolve(ok({ text: reply.text, ...(reply.stop === undefined ? {} : { stop: reply.stop }), stats: { ...emptyStats, ...reply.stats } }));
  }

  probe(params: ProbeParams): Promise<Result<ProbeResult>> {
    const probabilities = this.script.probabilities?.[this.probed.length];
    this.probed.push(params);
    if (probabilities === undefined) throw new Error('The script has no more probabilities');
    return Promise.resolve(ok({ probabilities, stats: { ...emptyStats, tokensIn: 100, tokensCached: 40, prefillMs: 60 } }));
  }

  tokenize(_role: 'chat' | 'completion', segments: readonly { readonly text: string }[]): Promise<Result<{ tokens: number[] }>> {
    return Promise.resolve(ok({ tokens: segments.flatMap(({ text }) => [...text].map(() => 1)) }));
  }

  prefill(params: PrefillParams): Promise<Result<PrefixStats>> {
    this.prefilled.push(params);
    return Promise.resolve(ok({ tokens: 0, reused: 0, restored: 0, prefilled: 0, restoreMs: 0, prefillMs: 0, saveMs: 0, engineSaveMs: 0 }));
  }

  load = (): Promise<Result<LoadedModel>> => this.unscripted();
  unload = (): Promise<Result<null>> => this.unscripted();
  status = (): Promise<Result<SidecarStatus>> => this.unscripted();
  audit = (): Promise<Result<KvAudit>> => this.unscripted();

  private unscripted(): Promise<never> {
    return Promise.reject(new Error('Not in the script'));
  }
}
