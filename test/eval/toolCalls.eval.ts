import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ChatModel } from '../../src/model/chatModel.js';
import { cacheRoot } from '../../src/model/paths.js';
import type { NamedCall } from '../../src/model/toolCalls/callSyntax.js';
import { threadsOption, withChatModel } from './evalEngine.js';
import { bfclData, type Category, isRight, type Question, questions } from './bfcl.js';

/**
 * How often a real model calls the right tool with the right arguments, and answers when no tool fits: BFCL v4 through the sidecar
 * and LocalChatModel, as the product uses them. By command, not part of `npm test`:
 *
 *   node out/test/eval/toolCalls.eval.js [--offset 0] [--count 25] [--threads n] [--report docs/eval/tool-calls.md]
 */
const { values: options } = parseArgs({
  options: {
    offset: { type: 'string', default: '0' },
    count: { type: 'string', default: '25' },
    model: { type: 'string', default: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf' },
    threads: { type: 'string' },
    only: { type: 'string' },
    report: { type: 'string' },
  },
});

const steps: Readonly<Record<Category, number>> = { irrelevance: 9, multiple: 8, simple_python: 16 };
/** Text of this length is an answer; the rest of it says nothing about calls. */
const answerCharacters = 40;

interface Outcome { readonly id: string; readonly right: boolean; readonly did: string; readonly ms: number }

async function ask(model: ChatModel, question: Question): Promise<Outcome> {
  const began = performance.now();
  const enough = new AbortController();
  const calls: NamedCall[] = [];
  let text = '';
  let malformed: string | undefined;
  const messages = [{ role: 'system', content: 'You are a helpful assistant.' }, { role: 'user', content: question.text }] as const;
  for await (const event of model.chat({ conversation: 'eval', messages, tools: question.tools, toolChoice: 'auto', maxTokens: 400 }, enough.signal)) {
    if (event.type === 'toolCall') calls.push(event.call);
    if (event.type === 'malformedCall') malformed = event.problem;
    if (event.type === 'failed') throw new Error(`${question.id}: ${event.error.message}`);
    if (event.type === 'text' && (text += event.text).length > answerCharacters) enough.abort();
  }
  const [call] = calls;
  const right = question.expected === undefined
    ? calls.length === 0 && malformed === undefined && text.trim() !== ''
    : calls.length === 1 && call !== undefined && isRight(call, question.expected);
  const did = malformed !== undefined ? `malformed: ${malformed}` : call === undefined ? `answered: ${text.slice(0, 60)}` : `called ${call.name} ${JSON.stringify(call.arguments)}`;
  return { id: question.id, right, did, ms: performance.now() - began };
}

await withChatModel(options.model, threadsOption(options.threads), async (model) => {
  const data = bfclData(cacheRoot());
  const rows: string[] = [];
  const wrong: string[] = [];
  for (const [category, step] of Object.entries(steps) as [Category, number][]) {
    if (options.only !== undefined && options.only !== category) continue;
    const outcomes: Outcome[] = [];
    for (const question of questions(data, category, step, Number(options.offset), Number(options.count))) {
      const outcome = await ask(model, question);
      outcomes.push(outcome);
      console.log(`${outcome.right ? 'right' : 'WRONG'} ${outcome.id} ${Math.round(outcome.ms)} ms, ${outcome.did}`);
      if (!outcome.right) wrong.push(`- ${outcome.id}: ${outcome.did.replace(/\s+/g, ' ')}`);
    }
    const seconds = outcomes.map(({ ms }) => ms / 1000).sort((a, b) => a - b);
    rows.push(`| ${category} | every ${step}th from ${options.offset} | ${outcomes.filter(({ right }) => right).length}/${outcomes.length} | ${(seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(1)} |`);
  }
  const table = ['| questions | which | right | median seconds |', '|---|---|---|---|', ...rows].join('\n');
  console.log(`\n${model.info.name}\n${table}`);
  if (options.report !== undefined) writeFileSync(options.report, `${model.info.name}, ${new Date().toISOString().slice(0, 10)}\n\n${table}\n\nWrong:\n\n${wrong.join('\n')}\n`);
});
