import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rgPath } from '@vscode/ripgrep';
import { aboutWorkspace, type About } from '../../src/agent/aboutWorkspace.js';
import { runTurn } from '../../src/agent/loop.js';
import type { WorkspacePort } from '../../src/agent/ports.js';
import { standardTools } from '../../src/agent/tools/standardTools.js';
import { NodeWorkspace } from '../../src/agent/workspace/nodeWorkspace.js';
import { systemClock } from '../../src/base/clock.js';
import type { Tool } from '../../src/agent/tools/tool.js';
import type { ChatModel } from '../../src/model/chatModel.js';
import { type Task, taskSets } from './agentTasks.js';
import { type OnProbe, threadsOption, withChatModel } from './evalEngine.js';

/**
 * Whole turns of the agent with a real model on a small repository: does it look before it answers, stop looking, and leave the tools
 * alone where they do not help? By command:
 *
 *   node out/test/eval/agentTurns.eval.js [--set reported|tuning] [--zone full|zero] [--only text | --ask question] [--chances] [--threads n] [--report file]
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf' },
    threads: { type: 'string' },
    set: { type: 'string', default: 'reported' },
    zone: { type: 'string', default: 'full' },
    only: { type: 'string' },
    ask: { type: 'string', multiple: true },
    chances: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});

const { fixture, tasks } = taskSets[options.set === 'tuning' ? 'tuning' : 'reported'];
const folder = join(import.meta.dirname, '../../../test/fixtures', fixture);
const files = new NodeWorkspace(folder, rgPath);
/** As an editor that reports no problem. */
const workspace: WorkspacePort = {
  root: files.root, diagnostics: () => Promise.resolve([]),
  listFiles: (options, signal) => files.listFiles(options, signal), readFile: (path, signal) => files.readFile(path, signal),
  searchText: (options, signal) => files.searchText(options, signal), findSymbol: (name, limit, signal) => files.findSymbol(name, limit, signal),
};
const zone = options.zone === 'zero' ? 'zero' : 'full';

/** As in the editor, with a user who rejects whatever is proposed; as on the command line in zone `zero`. */
function tools(): readonly Tool[] {
  const refused = (): never => {
    throw new Error('nothing may be changed or run here');
  };
  if (zone === 'full') return standardTools({ workspace, approvals: { request: () => Promise.resolve('rejected') }, edits: { apply: refused }, commands: { run: refused, isolation: refused } }, zone);
  return standardTools({ workspace }, zone).filter(({ definition }) => definition.name !== 'diagnostics');
}

async function run(model: ChatModel, task: Task): Promise<string> {
  const began = performance.now();
  const input = {
    turnId: randomUUID(), conversation: 'agent', goal: task.question, context: '', history: [], zone,
    budget: { steps: 8, tokens: 60_000, wallMs: 900_000 },
  } as const;
  const about = (question: string, signal: AbortSignal): Promise<About | undefined> => aboutWorkspace(question, workspace, signal);
  const turn = runTurn({ model, tools: tools(), clock: systemClock, newId: randomUUID, aboutWorkspace: about }, input, new AbortController().signal);
  const did: string[] = [];
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      const { answer, gate } = next.value;
      const said = answer.split('> What gave no result')[0] ?? '';
      const right = gate === 'answered' && task.answer.test(said) && did.length >= task.calls[0] && did.length <= task.calls[1];
      console.log(`${right ? 'right' : 'WRONG'} ${Math.round(performance.now() - began)} ms ${gate}: ${task.question}\n  ${did.join('; ')}\n  ${answer.replace(/\s+/g, ' ').slice(0, 300)}`);
      return `| ${task.question} | ${did.map((call) => `\`${call}\``).join(', ') || 'none'} | ${gate} | ${right ? 'yes' : 'no'} |`;
    }
    if (next.value.type === 'toolStarted') did.push(`${next.value.call.name} ${JSON.stringify(next.value.call.arguments)}`);
  }
}

const showChances: OnProbe = (chances) => console.log(`    ${chances.map(({ candidate, probability }) => `${candidate.trim()} ${probability.toFixed(3)}`).join(', ')}`);

await withChatModel(options.model, threadsOption(options.threads), async (model) => {
  const rows: string[] = [];
  const asked = options.ask?.map((question): Task => ({ question, answer: /./, calls: [0, 99] }));
  for (const task of asked ?? tasks) if (options.only === undefined || task.question.includes(options.only)) rows.push(await run(model, task));
  const right = rows.filter((row) => row.endsWith('| yes |')).length;
  const table = [`${right}/${rows.length} right, zone ${zone}, test/fixtures/${fixture}`, '', '| question | calls | gate | right |', '|---|---|---|---|', ...rows].join('\n');
  console.log(`\n${table}`);
  if (options.report !== undefined) writeFileSync(options.report, `${model.info.name}\n\n${table}\n`);
}, { onProbe: options.chances ? showChances : undefined });
