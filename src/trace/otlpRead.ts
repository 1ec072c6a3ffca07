import * as z from 'zod';
import { gates, policyVerdicts, toolClasses } from '../protocol/agentEvents.js';
import { finishReasons } from '../protocol/chat.js';
import { errorCodes } from '../base/errors.js';
import type { TraceHop, TraceStart, TraceTool, TraceTurn } from '../protocol/trace.js';
import { otlpSchema, type OtlpSpan, startOperation } from './otlp.js';

/**
 * Turns back from what `toOtlp` wrote: equal to what was written. Anything else, cut, foreign or changed, gives undefined: a
 * trace file is read again after crashes.
 */
export function fromOtlp(document: unknown): readonly TraceTurn[] | undefined {
  const parsed = otlpSchema.safeParse(document);
  if (!parsed.success) return undefined;
  const spans = parsed.data.resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans));
  try {
    return spans.filter((span) => span.parentSpanId === undefined).map((root) => readTurn(root, spans));
  } catch (thrown) {
    if (thrown instanceof z.ZodError) return undefined;
    throw thrown;
  }
}

const text = z.string();
const number = z.number();
const flag = z.boolean();
const outcomes = z.enum(['ok', 'empty', 'error', 'refused']);
const error = z.object({ code: z.enum(errorCodes), message: text, next: text, cause: text.optional(), data: z.record(text, z.union([text, number, flag])).optional() });

function readTurn(root: OtlpSpan, spans: readonly OtlpSpan[]): TraceTurn {
  const get = reader(root.attributes);
  const start = BigInt(root.startTimeUnixNano);
  const gate = get('loupe.gate', z.enum(gates).optional());
  const failure = get('loupe.error', text.optional());
  const starts = spans.filter((span) => span.parentSpanId === root.spanId && isStart(span));
  const firstTokenMs = get('loupe.first_token_ms', number.optional());
  return {
    turnId: get('loupe.turn.id', text), traceId: root.traceId, conversation: get('gen_ai.conversation.id', text), question: get('loupe.question', text),
    startedAt: Number(start / 1_000_000n), model: get('gen_ai.request.model', text),
    budget: { steps: get('loupe.budget.steps', number), tokens: get('loupe.budget.tokens', number), wallMs: get('loupe.budget.wall_ms', number) },
    ...(starts.length === 0 ? {} : { starts: starts.map((span) => readStart(span, start)) }),
    hops: spans.filter((span) => span.parentSpanId === root.spanId && !isStart(span)).map((span) => readHop(span, spans, start)),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    durationMs: offset(root.endTimeUnixNano, start),
    ...(gate === undefined ? {} : {
      gate: {
        gate, reason: get('loupe.gate.reason', text),
        spent: { steps: get('loupe.spent.steps', number), tokens: get('loupe.spent.tokens', number), wallMs: get('loupe.spent.wall_ms', number) },
        ...(failure === undefined ? {} : { error: withoutUndefined(error.parse(parseJson(failure))) }),
      },
    }),
    running: get('loupe.running', flag), partial: get('loupe.partial', flag),
  };
}

function readHop(span: OtlpSpan, spans: readonly OtlpSpan[], start: bigint): TraceHop {
  const get = reader(span.attributes);
  const finish = get('gen_ai.response.finish_reasons', z.array(z.enum(finishReasons)).optional())?.[0];
  const condensed = get('loupe.condensed.results', number.optional());
  const restored = get('loupe.restored_tokens', number.optional());
  const ahead = get('loupe.ahead_tokens', number.optional());
  return {
    hop: get('loupe.hop', number), spanId: span.spanId, startMs: offset(span.startTimeUnixNano, start), endMs: offset(span.endTimeUnixNano, start),
    ...(finish === undefined ? {} : {
      stats: {
        queueMs: get('loupe.queue_ms', number), restoreMs: get('loupe.restore_ms', number), prefillMs: get('loupe.prefill_ms', number),
        decodeMs: get('loupe.decode_ms', number), tokensIn: get('gen_ai.usage.input_tokens', number),
        tokensCached: get('gen_ai.usage.cache_read.input_tokens', number), tokensOut: get('gen_ai.usage.output_tokens', number),
        ...(restored === undefined ? {} : { tokensRestored: restored }), ...(ahead === undefined ? {} : { tokensAhead: ahead }),
        kvBytes: get('loupe.kv_bytes', number), finish,
      },
    }),
    outcome: get('loupe.outcome', text), textBytes: get('loupe.text_bytes', number),
    malformed: (span.events ?? []).map((event) => {
      const field = reader(event.attributes);
      return { atMs: offset(event.timeUnixNano, start), problem: field('loupe.problem', text), repair: field('loupe.repair', z.enum(['retrying', 'givenUp'])) };
    }),
    tools: spans.filter((tool) => tool.parentSpanId === span.spanId).map((tool) => readTool(tool, spans, start)),
    ...(condensed === undefined ? {} : {
      condensed: { results: condensed, tokensBefore: get('loupe.condensed.tokens_before', number), tokensAfter: get('loupe.condensed.tokens_after', number) },
    }),
  };
}

const isStart = ({ attributes }: OtlpSpan): boolean => reader(attributes)('loupe.operation', z.string().optional()) === startOperation;

function readStart(span: OtlpSpan, start: bigint): TraceStart {
  const get = reader(span.attributes);
  const problem = get('loupe.mcp.problem', text.optional());
  return {
    server: get('loupe.mcp.server', text), spanId: span.spanId, startMs: offset(span.startTimeUnixNano, start), endMs: offset(span.endTimeUnixNano, start),
    ...(problem === undefined ? {} : { problem }),
  };
}

function readTool(span: OtlpSpan, spans: readonly OtlpSpan[], start: bigint): TraceTool {
  const get = reader(span.attributes);
  const outcome = get('loupe.outcome', outcomes.optional());
  const decision = get('loupe.decision', z.enum(['accepted', 'rejected']).optional());
  const verdict = get('loupe.policy.verdict', z.enum(policyVerdicts).optional());
  const waitingSinceMs = get('loupe.waiting_since_ms', number.optional());
  const cold = spans.find((one) => one.parentSpanId === span.spanId && isStart(one));
  return {
    callId: get('gen_ai.tool.call.id', text), spanId: span.spanId, name: get('gen_ai.tool.name', text),
    class: get('loupe.tool.class', z.enum(toolClasses)), startMs: offset(span.startTimeUnixNano, start),
    endMs: offset(span.endTimeUnixNano, start), toolMs: get('loupe.tool_ms', number), approvalMs: get('loupe.approval_ms', number),
    argumentBytes: get('loupe.argument_bytes', number), resultBytes: get('loupe.result_bytes', number), truncated: get('loupe.truncated', flag),
    ...(cold === undefined ? {} : { cold: readStart(cold, start) }),
    ...(outcome === undefined ? {} : { outcome }), ...(decision === undefined ? {} : { decision }), ...(waitingSinceMs === undefined ? {} : { waitingSinceMs }),
    ...(verdict === undefined ? {} : { policy: { verdict, reason: get('loupe.policy.reason', text) } }),
    summary: get('loupe.summary', text), arguments: get('gen_ai.tool.call.arguments', text),
  };
}

type Get = <T>(key: string, schema: z.ZodType<T>) => T;

function reader(attributes: OtlpSpan['attributes']): Get {
  const values = new Map(attributes.map(({ key, value }) => [key, plain(value)]));
  return (key, schema) => schema.parse(values.get(key));
}

function plain(value: OtlpSpan['attributes'][number]['value']): unknown {
  if ('stringValue' in value) return value.stringValue;
  if ('intValue' in value) return Number(value.intValue);
  if ('doubleValue' in value) return value.doubleValue;
  if ('boolValue' in value) return value.boolValue;
  return value.arrayValue.values.map(({ stringValue }) => stringValue);
}

const offset = (nano: string, start: bigint): number => Number(BigInt(nano) - start) / 1e6;

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // the schema refuses it
  }
}

function withoutUndefined({ cause, data, ...rest }: z.infer<typeof error>): NonNullable<NonNullable<TraceTurn['gate']>['error']> {
  return { ...rest, ...(cause === undefined ? {} : { cause }), ...(data === undefined ? {} : { data }) };
}
