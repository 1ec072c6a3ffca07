import type { Approval } from '../../../protocol/agentEvents.js';
import type { ChatViewState } from './chatState.js';
import { gateSummary } from './gateText.js';
import { answerText, pendingApproval, type TurnView } from './turnView.js';

const longest = 1500;

/** What a screen reader is told when the state changes: finished answers and questions to the user, never single tokens. */
export function announcement(before: ChatViewState, after: ChatViewState): string | undefined {
  if (before.conversationId !== after.conversationId || before.turns === after.turns) return undefined;
  const turn = after.turns.at(-1);
  const old = before.turns.find(({ id }) => id === turn?.id);
  if (!turn || !old || turn === old) return undefined;
  if (turn.finished && !old.finished) return finishedText(turn);
  const approval = pendingApproval(turn)?.approval;
  if (approval && pendingApproval(old)?.approval.id !== approval.id) {
    return `Approval needed: ${asked(approval)}`;
  }
  return undefined;
}

function asked(approval: Approval): string {
  switch (approval.kind) {
    case 'edit': return `edit of ${approval.edit.path}`;
    case 'command': return `run ${approval.command}`;
    case 'tool': return `call ${approval.tool} of the MCP server ${approval.server}`;
  }
}

function finishedText(turn: TurnView): string {
  if (turn.gate?.error) return `${turn.gate.error.message} ${turn.gate.error.next}`;
  const text = answerText(turn).replace(/```[^\n]*\n([\s\S]*?)```/g, 'Code: $1').replace(/[*_`#]+/g, '');
  const answer = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return [answer, turn.partial ? 'Partial answer.' : '', gateSummary(turn)].filter((part) => part !== '').join(' ');
}
