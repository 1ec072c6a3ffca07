import type { ToolDefinition } from '../../protocol/chat.js';
import { gemma4CallOpening } from '../formats/gemma4.js';
import type { CallSyntax, NamedCall, ReadCalls } from './callSyntax.js';
import { checkCall } from './checkCall.js';
import { Gemma4Reader } from './gemma4Reader.js';
import { GrammarBuilder } from './grammar.js';
import { gemma4Notation, quoted } from './notation.js';

const close = '<tool_call|>';

/** `call:NAME{key:value,...}<tool_call|>`, several in a row if the model wants. It was taught when to call, so it decides freely. */
export const gemma4Calls: CallSyntax = {
  decision: 'free',
  answerOpening: '',
  marker: gemma4CallOpening,
  grammar(tools) {
    const grammar = new GrammarBuilder(gemma4Notation);
    const calls = tools.map((tool, index) => {
      const args = grammar.value(`arguments-${index}`, { type: 'object', properties: {}, ...tool.parameters });
      return grammar.rule(`call-${index}`, `${quoted(`call:${tool.name}`)} ${args} ${quoted(close)}`);
    });
    grammar.rule('call', calls.join(' | '));
    grammar.rule('root', `call (${quoted(gemma4CallOpening)} call){0,7}`);
    return grammar.build();
  },
  read,
};

function read(written: string, tools: readonly ToolDefinition[]): ReadCalls {
  const raw = written.trim();
  const calls: NamedCall[] = [];
  for (const part of raw.split(gemma4CallOpening)) {
    const reader = new Gemma4Reader(part.trim());
    const call = reader.call(close);
    if (call === undefined) return { ok: false, raw, problem: `the call cannot be read at character ${reader.position}; it must be call:NAME{key:value}${close}` };
    const checked = checkCall(raw, call.name, call.arguments, tools);
    if (!checked.ok) return checked;
    calls.push(...checked.calls);
  }
  return { ok: true, calls };
}
