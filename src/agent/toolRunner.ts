import { AsyncQueue } from '../base/asyncQueue.js';
import { makeError, toError } from '../base/errors.js';
import type { AgentEvent, ToolOutcome, Zone } from '../protocol/agentEvents.js';
import type { ToolCall } from '../protocol/chat.js';
import { orAbort } from './abort.js';
import { hiddenNote, revealHidden } from './hiddenText.js';
import type { Stopwatch } from './stopwatch.js';
import { Patience, type Timers } from './timers.js';
import { errorResult, type Tool, type ToolContext, type ToolResult } from './tools/tool.js';

export interface ToolRun {
  readonly turnId: string;
  readonly zone: Zone;
  readonly tools: readonly Tool[];
  readonly timers: Timers;
  readonly stopwatch: Stopwatch;
  atMs(): number;
  newId(): string;
}

export interface RunResult { readonly outcome: ToolOutcome; readonly content: string; readonly summary: string; readonly inconclusive?: boolean }

/** How long a tool that was stopped may take to end; a write that does not is reported as unknown. */
const stopGraceMs = 2_000;
/** Whatever a tool returns, no more than this reaches the model. The tools themselves cap lower. */
const hardLimit = 64 * 1024;

/** Runs one call: `toolStarted`, approvals in pairs, `toolFinished`. Throws nothing; an abort gives a result that says so. */
export async function* runTool(run: ToolRun, hop: number, call: ToolCall, note: string | undefined, signal: AbortSignal): AsyncGenerator<AgentEvent, RunResult> {
  const tool = run.tools.find(({ definition }) => definition.name === call.name);
  const started = run.atMs();
  yield {
    type: 'toolStarted', hop, atMs: started, call, class: tool?.class ?? 'read',
    argumentBytes: Buffer.byteLength(JSON.stringify(call.arguments)),
  };
  const events = new AsyncQueue<AgentEvent>();
  const approvals = { ms: 0 };
  const work = execute(run, tool, call, contextFor(run, hop, call, events, approvals, signal));
  const patience = new Patience(signal, run.timers, stopGraceMs);
  const settled = Promise.race([work, patience.expired.then(() => abandoned(tool))]).finally(() => events.end());
  for await (const event of events) yield event;
  const result = presentable(await settled, note);
  patience.dispose();
  const atMs = run.atMs();
  yield {
    type: 'toolFinished', hop, atMs, callId: call.id, name: call.name, outcome: result.outcome,
    toolMs: Math.max(0, atMs - started - approvals.ms), approvalMs: approvals.ms,
    resultBytes: Buffer.byteLength(result.content), truncated: result.truncated, summary: result.summary, result: result.content,
  };
  return result;
}

async function execute(run: ToolRun, tool: Tool | undefined, call: ToolCall, context: ToolContext): Promise<ToolResult> {
  if (!tool) {
    const names = offeredTools(run.tools, run.zone).map(({ definition }) => definition.name).join(', ');
    return errorResult(makeError('tool.unknown', `There is no tool ${JSON.stringify(call.name)}.`, `The tools are: ${names}.`));
  }
  if (run.zone === 'zero' && tool.class !== 'read') {
    return errorResult(makeError('tool.refused', `${call.name} is not allowed here: nothing may be changed or run.`, 'Describe the change instead.'), 'refused');
  }
  try {
    return await tool.run(call.arguments, context);
  } catch (thrown) {
    if (context.signal.aborted) return errorResult(makeError('cancelled', 'Stopped before it finished.', ''));
    return errorResult(toError(thrown, 'Try another way, or say that it failed.'));
  }
}

export function offeredTools(tools: readonly Tool[], zone: Zone): readonly Tool[] {
  return zone === 'full' ? tools : tools.filter((tool) => tool.class === 'read');
}

function contextFor(run: ToolRun, hop: number, call: ToolCall, events: AsyncQueue<AgentEvent>, approvals: { ms: number }, signal: AbortSignal): ToolContext {
  return {
    turnId: run.turnId, callId: call.id, zone: run.zone, signal, newId: () => run.newId(),
    approval: async (approval, request) => {
      signal.throwIfAborted();
      const asked = run.atMs();
      events.push({ type: 'approvalRequested', hop, atMs: asked, callId: call.id, approval });
      run.stopwatch.pause();
      const resolved = (decision: 'accepted' | 'rejected'): void => {
        run.stopwatch.resume();
        const atMs = run.atMs();
        approvals.ms += atMs - asked;
        events.push({ type: 'approvalResolved', hop, atMs, callId: call.id, approvalId: approval.id, decision, waitedMs: atMs - asked });
      };
      try {
        const decision = await orAbort(request(approval, signal), signal);
        resolved(decision);
        return decision;
      } catch (thrown) {
        resolved('rejected'); // no decision is no consent
        throw thrown;
      }
    },
  };
}

function abandoned(tool: Tool | undefined): ToolResult {
  const unknown = tool && tool.class !== 'read' ? ' Whether it took effect is not known.' : '';
  return errorResult(makeError('cancelled', `Stopped before it finished.${unknown}`, unknown ? 'Look before doing it again.' : ''));
}

/** What the model and the user get to see: capped, hidden characters made visible, never empty. */
function presentable(result: ToolResult, note: string | undefined): ToolResult {
  const capped = result.content.length > hardLimit;
  const { text, count } = revealHidden(capped ? result.content.slice(0, hardLimit) : result.content);
  const blank = text.trim() === '';
  const notes = [
    capped ? `cut to ${hardLimit.toLocaleString('en-US')} of ${result.content.length.toLocaleString('en-US')} characters` : undefined,
    hiddenNote(count),
    note,
  ].filter((part) => part !== undefined);
  const content = blank ? 'The tool returned nothing.' : text.trimEnd();
  return {
    outcome: blank && result.outcome === 'ok' ? 'empty' : result.outcome,
    content: notes.length > 0 ? `${content}\n[${notes.join('; ')}]` : content,
    summary: revealHidden(result.summary).text,
    truncated: result.truncated || capped,
    ...(result.inconclusive === undefined ? {} : { inconclusive: result.inconclusive }),
  };
}
