import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rgPath } from '@vscode/ripgrep';
import { runTurn } from '../../src/agent/loop.js';
import { standardTools } from '../../src/agent/tools/standardTools.js';
import { NodeWorkspace } from '../../src/agent/workspace/nodeWorkspace.js';
import { systemClock } from '../../src/base/clock.js';
import type { ChatModel } from '../../src/model/chatModel.js';
import { threadsOption, withChatModel } from './evalEngine.js';

/**
 * Whole turns of the agent with a real model on a small repository: does it look before it answers, stop looking, and leave the tools
 * alone where they do not help? By command:
 *
 *   node out/test/eval/agentTurns.eval.js [--threads n] [--report file]
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf' },
    threads: { type: 'string' },
    only: { type: 'string' },
    report: { type: 'string' },
  },
});

const folder = join(import.meta.dirname, '../../../test/fixtures/parcels');

interface Task {
  readonly question: string;
  /** What the answer must say. */
  readonly answer: RegExp;
  /** Fewest and most tool calls that make sense. */
  readonly calls: readonly [number, number];
}

const tasks: readonly Task[] = [
  { question: 'hello', answer: /./, calls: [0, 0] },
  { question: 'What is a closure in JavaScript?', answer: /function/i, calls: [0, 0] },
  { question: 'Which file defines isFinal?', answer: /src\/tracking\/parcelStatus\.ts/, calls: [1, 3] },
  { question: 'Which file defines webhookDelivery, and what is its maxAttempts?', answer: /webhookDelivery\.ts[^]*7|7[^]*webhookDelivery\.ts/, calls: [1, 4] },
  { question: 'How often is a webhook tried again, and in which file is that number set? Search for it and read the file.', answer: /webhookDelivery\.ts/, calls: [2, 6] },
  { question: 'What does README.md say this project is?', answer: /parcel/i, calls: [1, 3] },
  { question: 'Which TypeScript files are under src/carriers?', answer: /postCarrier\.ts[^]*swiftCarrier\.ts|swiftCarrier\.ts[^]*postCarrier\.ts/, calls: [1, 3] },
  { question: 'Where is notifyShop called?', answer: /server\.ts/, calls: [1, 4] },
];

async function run(model: ChatModel, task: Task): Promise<string> {
  const began = performance.now();
  const tools = standardTools({ workspace: new NodeWorkspace(folder, rgPath) }, 'zero').filter(({ definition }) => definition.name !== 'diagnostics');
  const input = {
    turnId: randomUUID(), conversation: 'agent', goal: task.question, context: '', history: [], zone: 'zero',
    budget: { steps: 8, tokens: 60_000, wallMs: 900_000 },
  } as const;
  const turn = runTurn({ model, tools, clock: systemClock, newId: randomUUID }, input, new AbortController().signal);
  const did: string[] = [];
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      const { answer, gate } = next.value;
      const right = gate === 'answered' && task.answer.test(answer) && did.length >= task.calls[0] && did.length <= task.calls[1];
      console.log(`${right ? 'right' : 'WRONG'} ${Math.round(performance.now() - began)} ms ${gate}: ${task.question}\n  ${did.join('; ')}\n  ${answer.replace(/\s+/g, ' ').slice(0, 300)}`);
      return `| ${task.question} | ${did.map((call) => `\`${call}\``).join(', ') || 'none'} | ${gate} | ${right ? 'yes' : 'no'} |`;
    }
    if (next.value.type === 'toolStarted') did.push(`${next.value.call.name} ${JSON.stringify(next.value.call.arguments)}`);
  }
}

await withChatModel(options.model, threadsOption(options.threads), async (model) => {
  const rows: string[] = [];
  for (const task of tasks) if (options.only === undefined || task.question.includes(options.only)) rows.push(await run(model, task));
  const table = ['| question | calls | gate | right |', '|---|---|---|---|', ...rows].join('\n');
  console.log(`\n${table}`);
  if (options.report !== undefined) writeFileSync(options.report, `${model.info.name}\n\n${table}\n`);
});
