import * as z from 'zod';
import { makeError, toError, type LoupeError } from '../../base/errors.js';
import type { Approval, Decision, ToolClass, ToolOutcome, Zone } from '../../protocol/agentEvents.js';
import type { Reach } from '../policy.js';
import type { ToolDefinition } from '../../protocol/chat.js';

export interface ToolResult {
  readonly outcome: ToolOutcome;
  /** What the model reads. Never empty. */
  readonly content: string;
  /** One short line for people: "12 matches in 4 files". */
  readonly summary: string;
  readonly truncated: boolean;
  /** Whether another look is likely to help. Left out: where the outcome is not `ok`. */
  readonly inconclusive?: boolean;
  /** It says which files there are and nothing of what is in them. */
  readonly onlyNames?: boolean;
}

export interface ToolContext {
  readonly turnId: string;
  readonly callId: string;
  readonly zone: Zone;
  readonly signal: AbortSignal;
  /** What the policy decided by: the call does nothing beyond it. */
  readonly reach: Reach;
  newId(): string;
  /** Puts a question to the user through `request`; the turn reports it and does not count the waiting. */
  approval(approval: Approval, request: (approval: Approval, signal: AbortSignal) => Promise<Decision>): Promise<Decision>;
  /** Waits for a server that is being started; the turn reports how long that took, and does not count it as time of the tool. */
  coldStart(server: string, starting: Promise<void>): Promise<void>;
}

export interface Tool {
  readonly definition: ToolDefinition;
  readonly class: ToolClass;
  /** It can be called, and is not in the prompt: another tool finds it. */
  readonly found?: true;
  /** What a call with these arguments would reach: what the policy decides by. Reading changes nothing; it may look at the disk. */
  reach(args: Readonly<Record<string, unknown>>): Promise<Reach>;
  /** Validates the arguments and runs. Failures are results; only an abort is thrown. */
  run(args: Readonly<Record<string, unknown>>, context: ToolContext): Promise<ToolResult>;
}

export interface ToolSpec<S extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly class: ToolClass;
  readonly schema: S;
  /** Left out: the workspace folder, for tools that take no path and no command; outside for those that use the network. */
  reach?(args: z.infer<S>): Promise<Reach>;
  run(args: z.infer<S>, context: ToolContext): Promise<ToolResult>;
}

export function defineTool<S extends z.ZodType>(spec: ToolSpec<S>): Tool {
  return {
    class: spec.class,
    definition: { name: spec.name, description: spec.description, parameters: leanSchema(spec.schema), safety: spec.class === 'read' ? 'reads' : 'asks' },
    reach: async (args) => {
      const parsed = spec.schema.safeParse(withoutNulls(args));
      // Arguments that do not fit come to nothing: `run` says so.
      if (!parsed.success || !spec.reach) return { path: spec.class === 'network' ? 'outside' : 'workspace' };
      return spec.reach(parsed.data);
    },
    run: async (args, context) => {
      const parsed = spec.schema.safeParse(withoutNulls(args));
      if (!parsed.success) return errorResult(badArguments(spec.name, parsed.error));
      try {
        return await spec.run(parsed.data, context);
      } catch (thrown) {
        context.signal.throwIfAborted();
        return errorResult(toError(thrown, 'Try another way, or say that it failed.'));
      }
    },
  };
}

export function errorResult(error: LoupeError, outcome: 'error' | 'refused' = 'error'): ToolResult {
  return { outcome, content: `${outcome === 'error' ? 'Error' : 'Refused'}: ${error.message} ${error.next}`, summary: error.message, truncated: false };
}

export function emptyResult(message: string): ToolResult {
  return { outcome: 'empty', content: message, summary: message, truncated: false };
}

/** A schema for the model: no keys that only validators need, since each costs tokens in every prompt. */
function leanSchema(schema: z.ZodType): ToolDefinition['parameters'] {
  const { $schema: _, additionalProperties: __, ...rest } = z.toJSONSchema(schema) as Record<string, unknown>;
  return withoutSafeIntegerBounds(rest) as ToolDefinition['parameters'];
}

function withoutSafeIntegerBounds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSafeIntegerBounds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value)
    .filter(([, v]) => v !== Number.MAX_SAFE_INTEGER && v !== Number.MIN_SAFE_INTEGER)
    .map(([k, v]) => [k, withoutSafeIntegerBounds(v)]));
}

/** Models write `null` for an optional argument that they leave out. */
function withoutNulls(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
}

function badArguments(name: string, error: z.ZodError): LoupeError {
  const problems = error.issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`).join('; ');
  return makeError('tool.badArguments', `The arguments of ${name} do not fit (${problems}).`, 'Correct them and call again.');
}

