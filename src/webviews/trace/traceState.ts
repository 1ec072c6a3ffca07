import type { TraceTurn } from '../../protocol/trace.js';
import type { HostToTrace, TraceTurnSummary } from '../../protocol/views.js';

export interface TraceViewState {
  readonly loaded: boolean;
  readonly turns: readonly TraceTurnSummary[];
  readonly selected: string | null;
  readonly turn?: TraceTurn;
  /** How long `turn` had run when it arrived, and when that was on the view's monotonic clock: a running turn is drawn on from there. */
  readonly elapsedMs: number;
  readonly receivedAt: number;
}

export const initialTraceState: TraceViewState = { loaded: false, turns: [], selected: null, elapsedMs: 0, receivedAt: 0 };

/** Pure; `now` in milliseconds of the view's monotonic clock. A turn that is not the selected one is not shown. */
export function reduceTrace(state: TraceViewState, message: HostToTrace, now: number): TraceViewState {
  switch (message.type) {
    case 'turns': {
      const { turn, ...rest } = state;
      const next = { ...rest, loaded: true, turns: message.turns, selected: message.selected };
      return turn && turn.turnId === message.selected ? { ...next, turn } : next;
    }
    case 'turn':
      if (state.selected !== null && message.turn.turnId !== state.selected) return state;
      return { ...state, loaded: true, selected: message.turn.turnId, turn: message.turn, elapsedMs: Math.max(message.elapsedMs, message.turn.durationMs), receivedAt: now };
  }
}

/** Milliseconds the turn has run, counted on while it runs. */
export function elapsedMs(state: TraceViewState, now: number): number {
  if (!state.turn) return 0;
  return state.turn.running ? state.elapsedMs + Math.max(0, now - state.receivedAt) : state.turn.durationMs;
}
