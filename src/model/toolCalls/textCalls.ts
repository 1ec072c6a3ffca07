import type { ToolDefinition } from '../../protocol/chat.js';
import type { NamedCall, ReadCalls } from './callSyntax.js';
import { checkCall } from './checkCall.js';

/**
 * Calls that a model wrote into its answer although it was to answer, in the forms that models are taught: a `<tool_call>` block, a
 * fenced `json` block, or a bare JSON object. Strict: the whole reply must consist of such calls, each naming a known tool and
 * its arguments. Anything else is an answer, never a guess.
 *
 * @returns undefined for an answer.
 */
export function readTextCalls(reply: string, tools: readonly ToolDefinition[]): ReadCalls | undefined {
  const calls: NamedCall[] = [];
  let rest = reply.trim();
  while (rest !== '') {
    const part = takeBlock(rest);
    if (part === undefined) return undefined;
    const call = asCall(part.body, tools);
    // a tag can only mean a call; an object without a known tool is what the user asked for
    if (call === undefined) return part.tagged ? { ok: false, raw: reply.trim(), problem: 'the call is not a JSON object with "name" and "arguments"' } : undefined;
    const checked = checkCall(reply.trim(), call.name, call.arguments, tools);
    if (!checked.ok) return checked;
    calls.push(...checked.calls);
    rest = part.rest.trim();
  }
  return calls.length === 0 ? undefined : { ok: true, calls };
}

interface Block { readonly body: string; readonly tagged: boolean; readonly rest: string }

function takeBlock(text: string): Block | undefined {
  for (const [opening, closing, tagged] of [['<tool_call>', '</tool_call>', true], ['```json\n', '\n```', false]] as const) {
    if (!text.startsWith(opening)) continue;
    const end = text.indexOf(closing, opening.length);
    if (end < 0) return tagged ? { body: text.slice(opening.length), tagged, rest: '' } : undefined;
    return { body: text.slice(opening.length, end), tagged, rest: text.slice(end + closing.length) };
  }
  return text.startsWith('{') ? { body: text, tagged: false, rest: '' } : undefined;
}

function asCall(json: string, tools: readonly ToolDefinition[]): NamedCall | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined; // not JSON, so not a call
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2 || !('name' in value) || !('arguments' in value)) return undefined;
  const { name, arguments: args } = value;
  if (typeof name !== 'string' || !tools.some((tool) => tool.name === name)) return undefined;
  return typeof args === 'object' && args !== null ? { name, arguments: args as Record<string, unknown> } : undefined;
}

const heads = ['<tool_call>', '```json', '{'];

/** Whether a reply that begins like this may still turn out to be a written call, so that it must not be shown yet. */
export function mayBecomeTextCall(begun: string): boolean {
  const text = begun.trimStart();
  for (const head of heads) {
    if (head.startsWith(text)) return true;
    if (!text.startsWith(head)) continue;
    const inside = (head === '{' ? text : text.slice(head.length)).replace(/\s/g, '');
    if ('{"name":'.startsWith(inside) || inside.startsWith('{"name":') || '{"arguments":'.startsWith(inside) || inside.startsWith('{"arguments":')) return true;
  }
  return false;
}
