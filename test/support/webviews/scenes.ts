import type { View } from './harness.js';
import { askEvents, askTurn, budget, commandApproval, editEvents, runningTurn, state, traceMessage, traceOf } from './recorded.js';

type Chat = View<'chat'>;
const settle = (view: View<'chat' | 'trace'>): Promise<void> => view.page.waitForTimeout(120);

export async function askScene(view: Chat): Promise<void> {
  await view.send(state({}, [askTurn]));
  await settle(view);
}

export async function approvalScene(view: Chat): Promise<void> {
  await view.send(state({}, [{ ...askTurn, events: askEvents.map((event) => (event.type === 'turnFinished' ? { ...event, answer: 'Because its header carries the build of the engine (src/sidecar/snapshotStore.ts:61).' } : event)) }]));
  await view.send(...runningTurn('t2', 'Log it at info level instead of warn.', [...editEvents('t2')]));
  await view.send({ type: 'event', turnId: 't2', event: { type: 'approvalResolved', hop: 1, atMs: 4000, callId: 'e1', approvalId: 'approval-edit', decision: 'accepted', waitedMs: 2800 } });
  await view.send(...runningTurn('t3', 'Run the tests.', editEvents('t3', commandApproval)));
  await view.send(...runningTurn('t4', 'Now log it at info level, please.', editEvents('t4')));
  await settle(view);
}

export async function runningScene(view: Chat): Promise<void> {
  await view.send(state({}, [askTurn]));
  await view.send(...runningTurn('t2', 'And when the model file changes?', [
    { type: 'turnStarted', turnId: 't2', conversation: 'conv', at: Date.now(), goal: '', model: 'Gemma 4 E4B', budget, zone: 'full' },
    { type: 'hopStarted', hop: 1, atMs: 0 },
    { type: 'modelProgress', hop: 1, phase: 'prefill', done: 8_192, total: 24_171 },
  ]));
  await view.page.getByLabel('Question', { exact: true }).fill('What about @s');
  const request = await view.waitFor('searchFiles');
  await view.send({ type: 'files', request: request.request, paths: ['src/sidecar/snapshotStore.ts', 'src/sidecar/scheduler.ts', 'src/model/sidecar/supervisor.ts'] });
  await settle(view);
}

export async function emptyScene(view: Chat): Promise<void> {
  await view.send(state({ context: { used: 0, cached: 0, size: 32_768 } }));
  await settle(view);
}

export async function noModelScene(view: Chat): Promise<void> {
  await view.send(state({ model: { state: 'none', label: '', detail: 'No model is installed. Gemma 4 E2B (3.2 GB) fits this machine best.' }, context: { used: 0, cached: 0, size: 0 } }));
  await settle(view);
}

export async function untrustedScene(view: Chat): Promise<void> {
  await view.send(state({ trusted: false, model: { state: 'untrusted', label: '', detail: 'This workspace is not trusted.' } }, [askTurn]));
  await settle(view);
}

export async function errorScene(view: Chat): Promise<void> {
  await view.send(state({}, [{
    id: 't9', question: 'Summarise the whole repository', attachments: [],
    events: [
      ...askEvents.slice(0, 9).map((event) => (event.type === 'turnStarted' ? { ...event, turnId: 't9' } : event)),
      { type: 'hopStarted', hop: 2, atMs: 950 },
      { type: 'textDelta', hop: 2, text: 'The repository has three parts: the **sidecar**, which' },
      { type: 'gate', atMs: 2100, gate: 'error', reason: 'The sidecar stopped. Ask again.', spent: { steps: 2, tokens: 320, wallMs: 2100 }, error: { code: 'sidecar.crashed', message: 'The inference process stopped in the middle of the answer.', next: 'It has been started again; retry the question.', cause: 'exit signal SIGKILL' } },
      { type: 'turnFinished', at: 0, atMs: 2100, answer: 'The repository has three parts: the **sidecar**, which', partial: true },
    ],
  }]));
  await settle(view);
}

export async function historyScene(view: Chat): Promise<void> {
  await view.send(state({}, [askTurn]), { type: 'showHistory' });
  await settle(view);
}

export async function checkingScene(view: Chat): Promise<void> {
  await view.send(state({ model: { state: 'checking', label: 'Gemma 4 E4B', detail: 'Checking that the file is the published one', fraction: 0.4 }, context: { used: 0, cached: 0, size: 0 } }));
  await settle(view);
}

export async function traceScene(view: View<'trace'>, running: boolean): Promise<void> {
  const events = running ? editEvents('t2') : askEvents;
  const turn = traceOf(events);
  await view.send(
    { type: 'turns', turns: [{ turnId: turn.turnId, question: turn.question, at: turn.startedAt }, { turnId: 'older', question: 'Explain the scheduler', at: turn.startedAt - 60_000 }], selected: turn.turnId },
    traceMessage(turn, running ? 34_000 : undefined),
  );
  await settle(view);
}
