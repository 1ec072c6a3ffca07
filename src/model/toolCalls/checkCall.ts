import type { ToolDefinition } from '../../protocol/chat.js';
import type { ReadCalls } from './callSyntax.js';
import { schemaProblem } from './validate.js';

/** One call as read: right if the tool exists and the arguments fit its schema. */
export function checkCall(raw: string, name: string, args: unknown, tools: readonly ToolDefinition[]): ReadCalls {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) return { ok: false, raw, problem: `there is no tool "${name}"; the tools are ${tools.map((one) => one.name).join(', ')}` };
  const problem = schemaProblem(args, { type: 'object', ...tool.parameters });
  if (problem !== undefined) return { ok: false, raw, problem: `${name}: ${problem}` };
  return { ok: true, calls: [{ name, arguments: args as Record<string, unknown> }] };
}
