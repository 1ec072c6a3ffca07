import type { ChatMessage, ToolCall } from '../protocol/chat.js';

/** Messages of a conversation without the system prompt; `goal` is the index of this turn's user message. */
export interface Window { readonly messages: readonly ChatMessage[]; readonly goal: number }

export interface Condensed extends Window {
  /** Tool results shortened plus earlier turns left out; 0: nothing had to be done. */
  readonly results: number;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  readonly fits: boolean;
}

/** After condensing, this share of what the messages may take is used at most, so that it is not needed again at the next hop. */
const target = 0.75;
/** Results shorter than this are not worth a stub. */
const smallResult = 200;
/** What the newest results are cut to when nothing else is left to give. */
const cutTo = [4_000, 1_500, 500] as const;
const longArgument = 200;
const stubMark = '[Left out to save context: ';

/**
 * Makes the messages fit into `limit` tokens. Given up in this order: tool results before the last hop (oldest first),
 * earlier turns (oldest first), long arguments of earlier calls, the middle of the last hop's results. The goal is never
 * touched. `count` is the model's own count of the whole prompt; what it counts without any message, the system prompt with what is remembered of the
 * repository, cannot be given up.
 */
export async function condense(window: Window, limit: number, count: (messages: readonly ChatMessage[]) => Promise<number>): Promise<Condensed> {
  const tokensBefore = await count(window.messages);
  if (tokensBefore <= limit) return { ...window, results: 0, tokensBefore, tokensAfter: tokensBefore, fits: true };
  const fixed = await count([]);
  const perByte = Math.max(0, tokensBefore - fixed) / Math.max(1, bytes(window.messages));
  const enough = fixed + Math.max(0, limit - fixed) * target;
  let current: Window = window;
  let results = 0;
  let tokens = tokensBefore;
  for (const step of steps) {
    while (tokens > limit) {
      // Give up as much as the estimate says before counting again: each count is a request to the model's tokenizer.
      let estimate = tokens;
      let progressed = false;
      while (estimate > enough) {
        const next = step(current);
        if (!next) break;
        progressed = true;
        results++;
        estimate -= (bytes(current.messages) - bytes(next.messages)) * perByte;
        current = next;
      }
      if (!progressed) break;
      tokens = await count(current.messages);
    }
    if (tokens <= limit) break;
  }
  return { ...current, results, tokensBefore, tokensAfter: tokens, fits: tokens <= limit };
}

type Step = (window: Window) => Window | undefined;

const steps: readonly Step[] = [stubOldestResult, dropOldestTurn, shortenOldestArguments, ...cutTo.map(cutLargestResult)];

function stubOldestResult(window: Window): Window | undefined {
  const lastHop = lastAssistant(window.messages);
  const at = window.messages.findIndex((m, i) => i < lastHop && m.role === 'tool' && m.content.length > smallResult && !m.content.startsWith(stubMark));
  const message = window.messages[at];
  if (message?.role !== 'tool') return undefined;
  const call = callOf(window.messages, at, message.callId);
  const content = `${stubMark}${describe(message.name, call)}, ${bytesOf(message.content).toLocaleString('en-US')} bytes. Call it again if you need it.]`;
  return { ...window, messages: window.messages.with(at, { ...message, content }) };
}

/** A turn goes from one user message to before the next that follows an answer; the note about it stands in the next user message. */
function dropOldestTurn(window: Window): Window | undefined {
  if (window.goal === 0) return undefined;
  const next = window.messages.findIndex((m, i) => i > 0 && i <= window.goal && m.role === 'user' && startsTurn(window.messages, i));
  const end = next === -1 ? window.goal : next;
  const kept = window.messages.slice(end);
  const first = kept[0];
  if (first?.role !== 'user') return undefined;
  const dropped = 1 + droppedBefore(window.messages[0]);
  const note = `[${dropped} earlier ${dropped === 1 ? 'question was' : 'questions were'} left out to save context.]\n\n`;
  return { messages: [{ ...first, content: note + first.content.replace(droppedNote, '') }, ...kept.slice(1)], goal: window.goal - end };
}

const droppedNote = /^\[(\d+) earlier questions? (?:was|were) left out to save context\.\]\n\n/;

function droppedBefore(message: ChatMessage | undefined): number {
  return message?.role === 'user' ? Number(droppedNote.exec(message.content)?.[1] ?? 0) : 0;
}

/** Nudges are user messages too, but they follow a tool result or come in the middle of a turn: an answer ends a turn. */
function startsTurn(messages: readonly ChatMessage[], index: number): boolean {
  const previous = messages[index - 1];
  return previous?.role === 'assistant' && (previous.toolCalls?.length ?? 0) === 0;
}

function shortenOldestArguments(window: Window): Window | undefined {
  const lastHop = lastAssistant(window.messages);
  const at = window.messages.findIndex((m, i) => i < lastHop && m.role === 'assistant' && (m.toolCalls ?? []).some(hasLongArgument));
  const message = window.messages[at];
  if (message?.role !== 'assistant') return undefined;
  return { ...window, messages: window.messages.with(at, { ...message, toolCalls: (message.toolCalls ?? []).map(shortenArguments) }) };
}

const isLong = (value: unknown): value is string => typeof value === 'string' && value.length > longArgument;
const hasLongArgument = (call: ToolCall): boolean => Object.values(call.arguments).some(isLong);

function shortenArguments(call: ToolCall): ToolCall {
  const shorter = Object.entries(call.arguments).map(([key, value]) =>
    [key, isLong(value) ? `${stubMark}${value.length} characters]` : value] as const);
  return { ...call, arguments: Object.fromEntries(shorter) };
}

function cutLargestResult(to: number): Step {
  return (window) => {
    let at = -1;
    let length = to;
    window.messages.forEach((m, i) => {
      if (m.role === 'tool' && m.content.length > length) {
        at = i;
        length = m.content.length;
      }
    });
    const message = window.messages[at];
    if (message?.role !== 'tool') return undefined;
    const whole = cutNote.exec(message.content)?.[1] ?? message.content.length.toLocaleString('en-US');
    const note = `\n[Cut to save context: this is the beginning of ${whole} characters. Ask for a smaller part.]`;
    const content = message.content.replace(cutNote, '').slice(0, to - note.length - 1) + note;
    return { ...window, messages: window.messages.with(at, { ...message, content }) };
  };
}

const cutNote = /\n\[Cut to save context: this is the beginning of ([\d,]+) characters\. Ask for a smaller part\.\]$/;

function lastAssistant(messages: readonly ChatMessage[]): number {
  return messages.findLastIndex((m) => m.role === 'assistant' && (m.toolCalls?.length ?? 0) > 0);
}

function callOf(messages: readonly ChatMessage[], before: number, callId: string): ToolCall | undefined {
  for (let i = before - 1; i >= 0; i--) {
    const message = messages[i];
    const call = message?.role === 'assistant' ? message.toolCalls?.find(({ id }) => id === callId) : undefined;
    if (call) return call;
  }
  return undefined;
}

function describe(name: string, call: ToolCall | undefined): string {
  const args = Object.entries(call?.arguments ?? {}).map(([key, value]) => `${key} ${short(value)}`).join(', ');
  return args === '' ? name : `${name} (${args})`;
}

function short(value: unknown): string {
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;
const bytes = (messages: readonly ChatMessage[]): number =>
  messages.reduce((sum, m) => sum + m.content.length + (m.role === 'assistant' && m.toolCalls ? JSON.stringify(m.toolCalls).length : 0), 0);
