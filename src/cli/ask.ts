import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { makeError, toError, type LoupeError } from '../base/errors.js';
import type { Result } from '../base/result.js';
import { aboutWorkspace, type About } from '../agent/aboutWorkspace.js';
import { orAbort } from '../agent/abort.js';
import { runTurn } from '../agent/loop.js';
import type { WorkspacePort } from '../agent/ports.js';
import { standardTools } from '../agent/tools/standardTools.js';
import { realFolder } from '../agent/workspace/realFolder.js';
import type { ChatModel } from '../model/chatModel.js';
import { settingDefaults } from '../protocol/settings.js';
import type { TraceTurn } from '../protocol/trace.js';
import { foldTurn } from '../trace/fold.js';
import type { AskOptions } from './args.js';
import { LiveView, type Output } from './console.js';
import { describeError, exitCodeOf, exitCodes, gateLine, hopTable } from './report.js';

export interface AskDeps {
  readonly output: Output;
  readonly clock: Clock;
  /** The model to ask; `status` says what takes long. */
  connect(options: AskOptions, status: (text: string) => void, signal: AbortSignal): Promise<Result<ChatModel>>;
  workspace(root: string): WorkspacePort;
}

/**
 * One question about one folder, without an editor. Nobody is there to approve anything, so the folder is trusted with
 * nothing: no tool that writes or runs exists, and no file of the folder configures us. Gives the exit code.
 */
export async function ask(deps: AskDeps, options: AskOptions, signal: AbortSignal): Promise<number> {
  const { output } = deps;
  const view = new LiveView(output);
  const fail = (error: LoupeError): number => {
    view.clear();
    if (options.json) output.write(`${JSON.stringify({ error }, undefined, 2)}\n`);
    else output.note(`${describeError(error)}\n`);
    return error.code === 'cancelled' ? exitCodes.cancelled : exitCodes.failed;
  };
  try {
    const root = await realFolder(options.folder);
    if (root === undefined) return fail(makeError('workspace.none', `There is no folder ${options.folder}.`, 'Give the path of a folder with --folder.'));
    const model = await orAbort(deps.connect(options, (text) => view.status(text), signal), signal);
    if (!model.ok) return fail(model.error);
    const { turn, answer } = await runAndShow(deps, options, model.value, deps.workspace(root), options.json ? undefined : view, signal);
    if (options.json) output.write(`${JSON.stringify(jsonReport(turn, answer), undefined, 2)}\n`);
    else {
      output.write(`\n${hopTable(turn)}\n\n${gateLine(turn)}\n`);
      if (turn.gate?.error) output.note(`${describeError(turn.gate.error)}\n`);
    }
    return exitCodeOf(turn);
  } catch (thrown) {
    return fail(toError(thrown));
  }
}

async function runAndShow(deps: AskDeps, options: AskOptions, model: ChatModel, workspace: WorkspacePort, view: LiveView | undefined, signal: AbortSignal): Promise<{ turn: TraceTurn; answer: string }> {
  const input = {
    turnId: randomUUID(), conversation: `cli-${randomUUID()}`, goal: options.question, context: '', history: [], zone: 'zero',
    budget: { steps: options.steps, tokens: settingDefaults['loupe.agent.maxTokens'], wallMs: settingDefaults['loupe.agent.maxSeconds'] * 1000 },
  } as const;
  // No editor, no diagnostics: a tool that can only say so would cost tokens in every prompt.
  const tools = standardTools({ workspace }, 'zero').filter(({ definition }) => definition.name !== 'diagnostics');
  const about = (question: string, within: AbortSignal): Promise<About | undefined> => aboutWorkspace(question, workspace, within);
  const events = runTurn({ model, tools, clock: deps.clock, newId: randomUUID, aboutWorkspace: about }, input, signal);
  let turn: TraceTurn | undefined;
  for (;;) {
    const next = await events.next();
    if (next.done) {
      if (!turn) throw new Error('A turn without events');
      return { turn, answer: next.value.answer };
    }
    turn = foldTurn(turn, next.value);
    view?.show(next.value);
  }
}

/** What `--json` prints; the trace has everything else. */
function jsonReport(turn: TraceTurn, answer: string): Record<string, unknown> {
  return { answer, partial: turn.partial, gate: turn.gate?.gate, reason: turn.gate?.reason, error: turn.gate?.error, model: turn.model, trace: turn };
}
