import { noGrants, type Grants } from '../../../../src/agent/policy.js';
import { Stopwatch } from '../../../../src/agent/stopwatch.js';
import { runTool } from '../../../../src/agent/toolRunner.js';
import type { Tool, ToolResult } from '../../../../src/agent/tools/tool.js';
import type { AgentEvent, Zone } from '../../../../src/protocol/agentEvents.js';
import { FakeTime } from './fakeTime.js';

export interface CallOptions {
  readonly zone?: Zone;
  readonly grants?: Grants;
  readonly callId?: string;
  readonly newId?: () => string;
}

/** One call of a tool as a turn makes it: behind the policy. */
export async function oneCall(tool: Tool, args: Record<string, unknown>, options: CallOptions = {}): Promise<{ readonly result: Pick<ToolResult, 'outcome' | 'content' | 'summary'>; readonly events: readonly AgentEvent[] }> {
  const time = new FakeTime();
  const stopwatch = new Stopwatch(time, time, 1e9, () => undefined);
  const running = runTool({
    turnId: 'turn', zone: options.zone ?? 'full', tools: [tool], timers: time, stopwatch, grants: options.grants ?? noGrants,
    checkpoint: () => Promise.resolve(undefined), atMs: () => 0, newId: options.newId ?? (() => 'a'),
  }, 1, { id: options.callId ?? 'c', name: tool.definition.name, arguments: args }, undefined, new AbortController().signal);
  const events: AgentEvent[] = [];
  for (;;) {
    const next = await running.next();
    if (next.done) {
      stopwatch.dispose();
      return { result: next.value, events };
    }
    events.push(next.value);
  }
}
