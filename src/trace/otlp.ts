import * as z from 'zod';
import type { TraceHop, TraceStart, TraceTool, TraceTurn } from '../protocol/trace.js';
import { spanIdOf } from './ids.js';

/**
 * Turns as OpenTelemetry traces in OTLP/JSON (opentelemetry-proto, `TracesData`): a span `invoke_agent` per turn, in it a span
 * `chat` per hop, in it a span `execute_tool` per call. Attribute names are those of the OpenTelemetry semantic conventions for
 * generative AI; what they do not name is under `loupe.`. A span `start_mcp_server` is below the turn or the call that needed the server. Ids are hex, times are nanoseconds since the epoch as strings.
 */
const valueSchema = z.union([
  z.object({ stringValue: z.string() }), z.object({ intValue: z.string() }), z.object({ doubleValue: z.number() }),
  z.object({ boolValue: z.boolean() }), z.object({ arrayValue: z.object({ values: z.array(z.object({ stringValue: z.string() })) }) }),
]);
const attributeSchema = z.object({ key: z.string(), value: valueSchema });
const spanSchema = z.object({
  traceId: z.string(), spanId: z.string(), parentSpanId: z.string().optional(), name: z.string(), kind: z.number(),
  startTimeUnixNano: z.string().regex(/^\d+$/), endTimeUnixNano: z.string().regex(/^\d+$/), attributes: z.array(attributeSchema),
  events: z.array(z.object({ name: z.string(), timeUnixNano: z.string().regex(/^\d+$/), attributes: z.array(attributeSchema) })).optional(),
  status: z.object({ code: z.number(), message: z.string().optional() }).optional(),
});
const scopeSpansSchema = z.object({ scope: z.object({ name: z.string(), version: z.string().optional() }), spans: z.array(spanSchema) });
export const otlpSchema = z.object({
  resourceSpans: z.array(z.object({ resource: z.object({ attributes: z.array(attributeSchema) }), scopeSpans: z.array(scopeSpansSchema) })),
});
export type Otlp = z.infer<typeof otlpSchema>;
export type OtlpSpan = z.infer<typeof spanSchema>;
type Attribute = z.infer<typeof attributeSchema>;
type Plain = string | number | boolean | readonly string[] | undefined;

const kinds = { internal: 1, client: 3 } as const;
const statusError = 2;

/** Several turns as one OTLP document. */
export function toOtlp(turns: readonly TraceTurn[]): Otlp {
  return {
    resourceSpans: [{
      resource: { attributes: attributes({ 'service.name': 'loupe' }) },
      scopeSpans: [{ scope: { name: 'loupe.agent' }, spans: turns.flatMap(spansOf) }],
    }],
  };
}

function spansOf(turn: TraceTurn): OtlpSpan[] {
  const root = spanIdOf(turn.turnId, 'turn');
  const context = { 'gen_ai.provider.name': 'loupe', 'gen_ai.request.model': turn.model, 'gen_ai.conversation.id': turn.conversation };
  const spans = [{ ...base(turn, root, undefined, 'invoke_agent loupe', kinds.internal, 0, turn.durationMs, { ...turnFields(turn), ...context }), ...status(turn.gate?.error?.message) }];
  for (const start of turn.starts ?? []) spans.push(startSpan(turn, root, start));
  for (const hop of turn.hops) {
    spans.push({
      ...base(turn, hop.spanId, root, `chat ${turn.model}`, kinds.client, hop.startMs, hop.endMs, { 'gen_ai.operation.name': 'chat', ...context, ...hopFields(hop) }),
      ...(hop.malformed.length > 0 ? { events: hop.malformed.map((m) => malformedEvent(turn, m)) } : {}),
      ...status(hop.stats?.finish === 'error' ? 'The model failed.' : undefined),
    });
    for (const tool of hop.tools) {
      spans.push({
        ...base(turn, tool.spanId, hop.spanId, `execute_tool ${tool.name}`, kinds.internal, tool.startMs, tool.endMs, toolFields(tool)),
        ...status(tool.outcome === 'error' ? tool.summary : undefined),
      });
      if (tool.cold) spans.push(startSpan(turn, tool.spanId, tool.cold));
    }
  }
  return spans;
}

/** What {@link fromOtlp} knows such a span by. */
export const startOperation = 'start_mcp_server';

function startSpan(turn: TraceTurn, parent: string, { server, spanId, startMs, endMs, problem }: TraceStart): OtlpSpan {
  const fields = { 'loupe.operation': startOperation, 'loupe.mcp.server': server, 'loupe.mcp.problem': problem };
  return { ...base(turn, spanId, parent, `${startOperation} ${server}`, kinds.client, startMs, endMs, fields), ...status(problem) };
}

function base(turn: TraceTurn, spanId: string, parentSpanId: string | undefined, name: string, kind: number, startMs: number, endMs: number, fields: Record<string, Plain>): OtlpSpan {
  return {
    traceId: turn.traceId, spanId, ...(parentSpanId ? { parentSpanId } : {}), name, kind,
    startTimeUnixNano: nanos(turn, startMs), endTimeUnixNano: nanos(turn, endMs), attributes: attributes(fields),
  };
}

const status = (message: string | undefined): Pick<OtlpSpan, 'status'> => (message === undefined ? {} : { status: { code: statusError, message } });

function turnFields({ turnId, question, partial, running, firstTokenMs, budget, gate }: TraceTurn): Record<string, Plain> {
  return {
    'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'loupe', 'loupe.turn.id': turnId, 'loupe.question': question,
    'loupe.partial': partial, 'loupe.running': running, 'loupe.first_token_ms': firstTokenMs,
    'loupe.budget.steps': budget.steps, 'loupe.budget.tokens': budget.tokens, 'loupe.budget.wall_ms': budget.wallMs,
    'loupe.gate': gate?.gate, 'loupe.gate.reason': gate?.reason,
    'loupe.spent.steps': gate?.spent.steps, 'loupe.spent.tokens': gate?.spent.tokens, 'loupe.spent.wall_ms': gate?.spent.wallMs,
    'error.type': gate?.error?.code, 'loupe.error': gate?.error && JSON.stringify(gate.error),
  };
}

function hopFields({ hop, stats, outcome, textBytes, condensed }: TraceHop): Record<string, Plain> {
  return {
    'loupe.hop': hop, 'loupe.outcome': outcome, 'loupe.text_bytes': textBytes,
    'gen_ai.usage.input_tokens': stats?.tokensIn, 'gen_ai.usage.output_tokens': stats?.tokensOut,
    'gen_ai.usage.cache_read.input_tokens': stats?.tokensCached, 'gen_ai.response.finish_reasons': stats && [stats.finish],
    'loupe.queue_ms': stats?.queueMs, 'loupe.restore_ms': stats?.restoreMs, 'loupe.prefill_ms': stats?.prefillMs,
    'loupe.decode_ms': stats?.decodeMs, 'loupe.restored_tokens': stats?.tokensRestored, 'loupe.ahead_tokens': stats?.tokensAhead, 'loupe.kv_bytes': stats?.kvBytes,
    'loupe.condensed.results': condensed?.results, 'loupe.condensed.tokens_before': condensed?.tokensBefore,
    'loupe.condensed.tokens_after': condensed?.tokensAfter,
  };
}

function toolFields(tool: TraceTool): Record<string, Plain> {
  return {
    'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool.name, 'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.id': tool.callId, 'gen_ai.tool.call.arguments': tool.arguments, 'loupe.tool.class': tool.class,
    'loupe.tool_ms': tool.toolMs, 'loupe.approval_ms': tool.approvalMs, 'loupe.waiting_since_ms': tool.waitingSinceMs, 'loupe.argument_bytes': tool.argumentBytes,
    'loupe.result_bytes': tool.resultBytes, 'loupe.truncated': tool.truncated, 'loupe.outcome': tool.outcome,
    'loupe.policy.verdict': tool.policy?.verdict, 'loupe.policy.reason': tool.policy?.reason, 'loupe.decision': tool.decision, 'loupe.summary': tool.summary,
    'error.type': tool.outcome === 'error' ? 'tool.failed' : undefined,
  };
}

function malformedEvent(turn: TraceTurn, { atMs, problem, repair }: TraceHop['malformed'][number]): NonNullable<OtlpSpan['events']>[number] {
  return { name: 'loupe.malformed_call', timeUnixNano: nanos(turn, atMs), attributes: attributes({ 'loupe.problem': problem, 'loupe.repair': repair }) };
}

/** Numbers whose name ends in `_ms` are doubles, all others whole numbers: 64-bit integers are strings in OTLP/JSON. */
function attributes(fields: Record<string, Plain>): Attribute[] {
  return Object.entries(fields).flatMap(([key, value]): Attribute[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    if (typeof value === 'number') return [{ key, value: key.endsWith('_ms') ? { doubleValue: value } : { intValue: String(Math.round(value)) } }];
    return [{ key, value: { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } } }];
  });
}

/** Beyond 2^53 a number is no longer exact: whole milliseconds and the rest are added as integers. */
function nanos(turn: TraceTurn, offsetMs: number): string {
  return (BigInt(Math.round(turn.startedAt)) * 1_000_000n + BigInt(Math.round(offsetMs * 1e6))).toString();
}
