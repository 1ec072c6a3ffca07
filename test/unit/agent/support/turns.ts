import * as z from 'zod';
import { runTurn } from '../../../../src/agent/loop.js';
import { defineTool, type Tool, type ToolContext, type ToolResult } from '../../../../src/agent/tools/tool.js';
import type { TurnDeps, TurnInput, TurnResult } from '../../../../src/agent/turn.js';
import type { AgentEvent, AgentEventType, ToolClass } from '../../../../src/protocol/agentEvents.js';
import { checkEvents } from './eventGrammar.js';
import { FakeTime } from './fakeTime.js';
import { ScriptedModel, type Reply } from './scriptedModel.js';

export interface Ran { readonly events: readonly AgentEvent[]; readonly result: TurnResult; readonly model: ScriptedModel }

export interface TurnOptions extends Partial<Omit<TurnInput, 'budget'>> {
  readonly replies?: readonly Reply[];
  readonly model?: ScriptedModel;
  readonly tools?: readonly Tool[];
  readonly time?: FakeTime;
  readonly judge?: TurnDeps['judge'];
  readonly aboutWorkspace?: TurnDeps['aboutWorkspace'];
  readonly grants?: TurnDeps['grants'];
  readonly checkpoint?: TurnDeps['checkpoint'];
  readonly serverTools?: TurnDeps['serverTools'];
  readonly signal?: AbortSignal;
  readonly budget?: Partial<TurnInput['budget']>;
  onEvent?(event: AgentEvent): void;
}

export const budget = { steps: 15, tokens: 60_000, wallMs: 600_000 } as const;

/** Runs a turn with a scripted model and checks the order of its events. */
export async function run(options: TurnOptions): Promise<Ran> {
  const model = options.model ?? new ScriptedModel(options.replies ?? []);
  const time = options.time ?? new FakeTime();
  let id = 0;
  const deps: TurnDeps = {
    model, tools: options.tools ?? [echo()], clock: time, timers: time, newId: () => `new-${id++}`, ...(options.judge ? { judge: options.judge } : {}),
    ...(options.grants ? { grants: options.grants } : {}), ...(options.checkpoint ? { checkpoint: options.checkpoint } : {}),
    ...(options.serverTools ? { serverTools: options.serverTools } : {}),
    ...(options.aboutWorkspace ? { aboutWorkspace: options.aboutWorkspace } : {}),
  };
  const input: TurnInput = {
    turnId: options.turnId ?? 'turn', conversation: 'conversation', goal: options.goal ?? 'Where is it?', context: options.context ?? '',
    history: options.history ?? [], budget: { ...budget, ...options.budget }, zone: options.zone ?? 'full',
  };
  const events: AgentEvent[] = [];
  const turn = runTurn(deps, input, options.signal ?? new AbortController().signal);
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      checkEvents(events, next.value);
      return { events, result: next.value, model };
    }
    events.push(next.value);
    options.onEvent?.(next.value);
  }
}

export function only<T extends AgentEventType>(events: readonly AgentEvent[], type: T): Extract<AgentEvent, { type: T }>[] {
  return events.filter((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
}

/** A tool that answers with its argument, or does what it is told. */
export function echo(name = 'echo', toolClass: ToolClass = 'read', act?: (value: string, context: ToolContext) => Promise<ToolResult> | ToolResult): Tool {
  return defineTool({
    name, class: toolClass, description: 'Say it again.', schema: z.object({ value: z.string() }),
    run: async ({ value }, context) => (act ? act(value, context) : { outcome: 'ok', content: `echo ${value}`, summary: value, truncated: false }),
  });
}
