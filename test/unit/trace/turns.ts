import { emptyStats, type GenerationStats } from '../../../src/protocol/chat.js';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import type { TraceTurn } from '../../../src/protocol/trace.js';
import { foldTurn } from '../../../src/trace/fold.js';

const stats = (more: Partial<GenerationStats>): GenerationStats => ({ ...emptyStats, ...more });

/** A turn with everything in it: a malformed call, condensing, an approval, a failed tool, a closing gate with an error. */
export function events(turnId: string, question = 'Where is it?'): AgentEvent[] {
  const read = { id: 'c1', name: 'read_file', arguments: { path: 'src/a.ts' } };
  const edit = { id: 'c2', name: 'propose_edit', arguments: { path: 'src/a.ts', new: 'x' } };
  return [
    { type: 'turnStarted', turnId, conversation: 'conv', at: 1_795_000_000_123, goal: question, model: 'Qwen', budget: { steps: 15, tokens: 60_000, wallMs: 600_000 }, zone: 'full' },
    { type: 'hopStarted', hop: 1, atMs: 0.5 },
    { type: 'modelProgress', hop: 1, phase: 'prefill', done: 10, total: 20 },
    { type: 'malformedCall', hop: 1, atMs: 400, raw: '{', problem: 'no name.', repair: 'retrying' },
    { type: 'modelFinished', hop: 1, atMs: 410.25, stats: stats({ queueMs: 1.5, prefillMs: 300, decodeMs: 108, tokensIn: 900, tokensOut: 12, kvBytes: 5_000_000 }), calls: [], text: '' },
    { type: 'hopStarted', hop: 2, atMs: 411 },
    { type: 'condensed', hop: 2, atMs: 412, results: 2, tokensBefore: 8_000, tokensAfter: 5_000 },
    { type: 'firstToken', hop: 2, atMs: 500 },
    { type: 'textDelta', hop: 2, text: 'Ich schaue: ä' },
    { type: 'modelFinished', hop: 2, atMs: 600, stats: stats({ restoreMs: 20, tokensRestored: 850, tokensAhead: 40, prefillMs: 60, decodeMs: 100, tokensIn: 950, tokensCached: 900, tokensOut: 20, kvBytes: 5_100_000 }), calls: [read, edit], text: 'Ich schaue: ä' },
    { type: 'toolStarted', hop: 2, atMs: 601, call: read, class: 'read', argumentBytes: 19 },
    { type: 'toolFinished', hop: 2, atMs: 605, callId: 'c1', name: 'read_file', outcome: 'error', toolMs: 4, approvalMs: 0, resultBytes: 30, truncated: false, summary: 'no such file', result: 'Error: no such file' },
    { type: 'toolStarted', hop: 2, atMs: 606, call: edit, class: 'write', argumentBytes: 29 },
    { type: 'policyDecided', hop: 2, atMs: 606.5, callId: 'c2', verdict: 'ask', reason: 'Changing a file needs your approval.' },
    { type: 'approvalRequested', hop: 2, atMs: 607, callId: 'c2', approval: { id: 'a1', kind: 'command', command: 'x', cwd: '/w' } },
    { type: 'approvalResolved', hop: 2, atMs: 5_607, callId: 'c2', approvalId: 'a1', decision: 'accepted', waitedMs: 5_000 },
    { type: 'checkpointTaken', hop: 2, atMs: 5_608, callId: 'c2' },
    { type: 'toolFinished', hop: 2, atMs: 5_610, callId: 'c2', name: 'propose_edit', outcome: 'ok', toolMs: 4, approvalMs: 5_000, resultBytes: 12, truncated: true, summary: 'src/a.ts changed', result: 'changed' },
    { type: 'hopStarted', hop: 3, atMs: 5_611 },
    { type: 'firstToken', hop: 3, atMs: 5_700 },
    { type: 'textDelta', hop: 3, text: 'Half' },
    { type: 'modelFinished', hop: 3, atMs: 5_800, stats: stats({ prefillMs: 50, decodeMs: 100, tokensIn: 1_000, tokensCached: 970, tokensOut: 3, finish: 'error' }), calls: [], text: 'Half' },
    { type: 'gate', atMs: 5_801, gate: 'error', reason: 'The sidecar crashed.', spent: { steps: 3, tokens: 1_065, wallMs: 801 }, error: { code: 'sidecar.crashed', message: 'The sidecar crashed.', next: 'Ask again.', cause: 'SIGKILL', data: { pid: 7 } } },
    { type: 'turnFinished', at: 1_795_000_005_924, atMs: 5_801.125, answer: 'Half', partial: true },
  ];
}

export function fold(all: readonly AgentEvent[]): TraceTurn {
  const [first, ...rest] = all;
  if (!first) throw new Error('no events');
  return rest.reduce((turn, event) => foldTurn(turn, event), foldTurn(undefined, first));
}
