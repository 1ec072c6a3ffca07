import { AsyncQueue } from '../base/asyncQueue.js';
import { makeError, toError } from '../base/errors.js';
import type { AgentEvent, Approval, Decision, ToolOutcome, Zone } from '../protocol/agentEvents.js';
import type { ToolCall } from '../protocol/chat.js';
import { orAbort } from './abort.js';
import { hiddenNote, revealHidden } from '../base/hiddenText.js';
import { decide, everAllowed, type Grants, type PolicyDecision, type Reach } from './policy.js';
import type { Stopwatch } from './stopwatch.js';
import { Patience, type Timers } from './timers.js';
import { errorResult, type Tool, type ToolContext, type ToolResult } from './tools/tool.js';

export interface ToolRun {
  readonly turnId: string;
  readonly zone: Zone;
  readonly tools: readonly Tool[];
  readonly timers: Timers;
  readonly stopwatch: Stopwatch;
  readonly grants: Grants;
  /** Undefined when nothing was recorded because this turn's checkpoint is there already, or there are none. */
  checkpoint(signal: AbortSignal): Promise<{ readonly first: boolean; readonly problem?: string } | undefined>;
  atMs(): number;
  newId(): string;
}

export interface RunResult { readonly outcome: ToolOutcome; readonly content: string; readonly summary: string; readonly inconclusive?: boolean; readonly onlyNames?: boolean }

/** How long a tool that was stopped may take to end; a write that does not is reported as unknown. */
const stopGraceMs = 2_000;
/** Whatever a tool returns, no more than this reaches the model. The tools themselves cap lower. */
const hardLimit = 64 * 1024;

/** Runs one call: `toolStarted`, `policyDecided`, approvals in pairs, `checkpointTaken` before the turn's first change, `toolFinished`. Throws nothing; an abort gives a result that says so. */
export async function* runTool(run: ToolRun, hop: number, call: ToolCall, note: string | undefined, signal: AbortSignal): AsyncGenerator<AgentEvent, RunResult> {
  const tool = run.tools.find(({ definition }) => definition.name === call.name);
  const started = run.atMs();
  yield {
    type: 'toolStarted', hop, atMs: started, call, class: tool?.class ?? 'read',
    argumentBytes: Buffer.byteLength(JSON.stringify(call.arguments)),
  };
  const events = new AsyncQueue<AgentEvent>();
  const apart = { approvalMs: 0, coldMs: 0 };
  const work = execute({ run, hop, call, tool, events, apart, signal });
  const patience = new Patience(signal, run.timers, stopGraceMs);
  const settled = Promise.race([work, patience.expired.then(() => abandoned(tool))]).finally(() => events.end());
  for await (const event of events) yield event;
  const result = presentable(await settled, note);
  patience.dispose();
  const atMs = run.atMs();
  yield {
    type: 'toolFinished', hop, atMs, callId: call.id, name: call.name, outcome: result.outcome,
    toolMs: Math.max(0, atMs - started - apart.approvalMs - apart.coldMs), approvalMs: apart.approvalMs,
    resultBytes: Buffer.byteLength(result.content), truncated: result.truncated, summary: result.summary, result: result.content,
  };
  return result;
}

/** One call on its way. */
interface Work {
  readonly run: ToolRun;
  readonly hop: number;
  readonly call: ToolCall;
  readonly tool: Tool | undefined;
  readonly events: AsyncQueue<AgentEvent>;
  /** Time of the call that is not the tool's own. */
  readonly apart: { approvalMs: number; coldMs: number };
  readonly signal: AbortSignal;
}

async function execute(work: Work): Promise<ToolResult> {
  const { run, hop, call, tool, events, signal } = work;
  if (!tool) {
    const names = offeredTools(run.tools, run.zone).map(({ definition }) => definition.name).join(', ');
    return errorResult(makeError('tool.unknown', `There is no tool ${JSON.stringify(call.name)}.`, `The tools are: ${names}.`));
  }
  try {
    const reach = await tool.reach(call.arguments);
    const policy = decide({ zone: run.zone, class: tool.class, ...reach }, run.grants);
    events.push({ type: 'policyDecided', hop, atMs: run.atMs(), callId: call.id, verdict: policy.verdict, reason: revealHidden(policy.reason).text });
    if (policy.verdict === 'deny') return errorResult(makeError('tool.refused', policy.reason, everAllowed(run.zone, tool.class) ? '' : 'Describe the change instead.'), 'refused');
    return await tool.run(call.arguments, contextFor(work, tool, reach, policy));
  } catch (thrown) {
    if (signal.aborted) return errorResult(makeError('cancelled', 'Stopped before it finished.', ''));
    return errorResult(toError(thrown, 'Try another way, or say that it failed.'));
  }
}

export function offeredTools(tools: readonly Tool[], zone: Zone): readonly Tool[] {
  return tools.filter((tool) => tool.found !== true && everAllowed(zone, tool.class));
}

function contextFor(work: Work, tool: Tool, reach: Reach, policy: PolicyDecision): ToolContext {
  const { run, call, signal } = work;
  return {
    turnId: run.turnId, callId: call.id, zone: run.zone, signal, reach, newId: () => run.newId(),
    approval: async (approval, request) => {
      signal.throwIfAborted();
      const decision = policy.verdict === 'allow' ? 'accepted' : await ask(work, withPolicy(approval, policy), request);
      if (decision === 'accepted' && tool.class !== 'read') await recordBefore(work);
      return decision;
    },
    coldStart: (server, starting) => reportStart(work, server, starting),
  };
}

async function reportStart({ run, hop, call, events, apart }: Work, server: string, starting: Promise<void>): Promise<void> {
  const began = run.atMs();
  const report = (problem?: string): void => {
    const atMs = run.atMs();
    apart.coldMs += atMs - began;
    events.push({ type: 'serverStarted', hop, atMs, callId: call.id, server: revealHidden(server).text, coldMs: atMs - began, ...(problem === undefined ? {} : { problem }) });
  };
  try {
    await starting;
    report();
  } catch (thrown) {
    report(revealHidden(toError(thrown).message).text);
    throw thrown;
  }
}

async function ask({ run, hop, call, events, apart, signal }: Work, approval: Approval, request: Parameters<ToolContext['approval']>[1]): Promise<Decision> {
  const asked = run.atMs();
  events.push({ type: 'approvalRequested', hop, atMs: asked, callId: call.id, approval });
  run.stopwatch.pause();
  const resolved = (decision: Decision): void => {
    run.stopwatch.resume();
    const atMs = run.atMs();
    apart.approvalMs += atMs - asked;
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
}

/** The user sees what the policy knows of the call, and is offered to have remembered what it lets them. */
export function withPolicy(approval: Approval, { warning, remember }: PolicyDecision): Approval {
  const warnings = [warning, approval.warning].filter((part) => part !== undefined).join(' ');
  return { ...approval, ...(warnings === '' ? {} : { warning: warnings }), ...(remember.length === 0 ? {} : { remember }) };
}

async function recordBefore({ run, hop, call, events, signal }: Work): Promise<void> {
  const taken = await run.checkpoint(signal);
  if (taken?.first !== true) return;
  events.push({ type: 'checkpointTaken', hop, atMs: run.atMs(), callId: call.id, ...(taken.problem === undefined ? {} : { problem: taken.problem }) });
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
    ...(result.onlyNames === undefined ? {} : { onlyNames: result.onlyNames }),
  };
}
