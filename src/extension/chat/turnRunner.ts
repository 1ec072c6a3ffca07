import type { Clock } from '../../base/clock.js';
import { type LoupeError, toError } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import type { AgentEvent, Budget } from '../../protocol/agentEvents.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { Attachment } from '../../protocol/conversation.js';
import type { TurnInput } from '../../agent/turn.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { ConversationMemory } from '../memory/conversationMemory.js';
import type { RunTurn, TurnRequest } from './turnPort.js';

/** The agent for one turn: the model, the rendered attachments and the limits go in, its events and its history come out. */
export type Agent = (
  model: ChatModel,
  input: TurnInput,
  folder: string | undefined,
  signal: AbortSignal,
) => AsyncGenerator<AgentEvent, { readonly messages: readonly ChatMessage[] }>;

export interface TurnRunnerDeps {
  readonly acquire: (signal: AbortSignal) => Promise<Result<ChatModel>>;
  /** Attachments as text for the prompt; '' when there are none. */
  readonly attachments: (attachments: readonly Attachment[], folder: string | undefined, signal: AbortSignal) => Promise<string>;
  readonly agent: Agent;
  /** What is remembered of the repository for this conversation. */
  readonly memoryOf: ConversationMemory['memoryOf'];
  readonly budget: () => Budget;
  readonly clock: Clock;
}

/** Runs turns with the agent; where there is no model or the agent breaks, the turn still ends in order, with the reason. */
export function turnRunner(deps: TurnRunnerDeps): RunTurn {
  return async function* run(request, signal) {
    const began = deps.clock.monotonic();
    let started = false;
    try {
      const model = await deps.acquire(signal);
      if (!model.ok) {
        yield* failedTurn(deps, request, model.error, began, started);
        return { messages: request.history };
      }
      const context = await deps.attachments(request.attachments, request.folder, signal);
      const { turnId, conversation, question: goal, history, folder } = request;
      const memory = await deps.memoryOf({ id: conversation, begun: history.length > 0, ...(folder === undefined ? {} : { folder }) }, model.value, signal);
      const input: TurnInput = { turnId, conversation, goal, context, history, budget: deps.budget(), zone: 'full', ...(memory === undefined ? {} : { memory }) };
      const events = deps.agent(model.value, input, folder, signal);
      for (let next = await events.next(); ; next = await events.next()) {
        if (next.done) return next.value;
        started ||= next.value.type === 'turnStarted';
        yield next.value;
      }
    } catch (thrown) {
      yield* failedTurn(deps, request, toError(thrown), began, started);
      return { messages: request.history };
    }
  };
}

function* failedTurn(deps: TurnRunnerDeps, request: TurnRequest, error: LoupeError, began: number, started: boolean): Generator<AgentEvent> {
  const { turnId, conversation, question: goal } = request;
  const atMs = deps.clock.monotonic() - began;
  if (!started) {
    yield { type: 'turnStarted', turnId, conversation, at: deps.clock.now() - atMs, goal, model: '', budget: deps.budget(), zone: 'full' };
  }
  const gate = error.code === 'cancelled' ? 'cancelled' : 'error';
  yield { type: 'gate', atMs, gate, reason: error.message, spent: { steps: 0, tokens: 0, wallMs: atMs }, error };
  yield { type: 'turnFinished', at: deps.clock.now(), atMs, answer: '', partial: true };
}
