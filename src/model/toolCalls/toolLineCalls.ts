import type { ToolDefinition } from '../../protocol/chat.js';
import { noTool, toolLineOpening } from '../formats/toolLine.js';
import type { CallSyntax, ReadCalls } from './callSyntax.js';
import { checkCall } from './checkCall.js';
import { GrammarBuilder } from './grammar.js';
import { jsonNotation, quoted } from './notation.js';

/** ` NAME`, a line break, and the arguments as JSON on one line. */
export const toolLineCalls: CallSyntax = {
  decision: 'probe',
  answerOpening: `${noTool}\n`,
  marker: `\n${toolLineOpening}`,
  grammar(tools) {
    const grammar = new GrammarBuilder(jsonNotation);
    const calls = tools.map((tool, index) => {
      const args = grammar.value(`arguments-${index}`, { type: 'object', properties: {}, ...tool.parameters });
      return grammar.rule(`call-${index}`, `${quoted(` ${tool.name}\n`)} ${args}`);
    });
    grammar.rule('root', calls.join(' | '));
    return grammar.build();
  },
  read,
};

function read(written: string, tools: readonly ToolDefinition[]): ReadCalls {
  const raw = written.trim();
  const lineEnd = raw.indexOf('\n');
  if (lineEnd < 0) return { ok: false, raw, problem: 'the arguments are missing: a JSON object must follow the line with the name of the tool' };
  let args: unknown;
  try {
    args = JSON.parse(raw.slice(lineEnd + 1));
  } catch {
    return { ok: false, raw, problem: 'the arguments are not valid JSON' }; // what the parser says differs between versions and helps no model
  }
  return checkCall(raw, raw.slice(0, lineEnd).trim(), args, tools);
}
