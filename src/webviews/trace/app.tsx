import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TraceTurnSummary, TraceToHost } from '../../protocol/views.js';
import { formatDuration } from '../shared/format.js';
import { Icon } from '../shared/icons.js';
import { gateLabel } from './describe.js';
import { Details } from './details.js';
import { firstTokenGoalMs, layOut, segmentKinds, segmentNames, waitingRow } from './layout.js';
import { elapsedMs, initialTraceState, reduceTrace, type TraceViewState } from './traceState.js';
import { Waterfall } from './waterfall.js';
import type { HostApi } from '../shared/hostApi.js';
import type { HostToTrace } from '../../protocol/views.js';

const redrawMs = 200;

export function App({ host }: { readonly host: HostApi<HostToTrace, TraceToHost> }): JSX.Element {
  const [state, setState] = useState<TraceViewState>(initialTraceState);
  const [row, setRow] = useState<string>();
  const now = useNow(state.turn?.running === true);
  const { turn } = state;
  const elapsed = elapsedMs(state, now);
  const layout = useMemo(() => (turn ? layOut(turn, elapsed) : undefined), [turn, elapsed]);

  useEffect(() => {
    const subscription = host.onMessage((message) => setState((old) => reduceTrace(old, message, performance.now())));
    host.post({ type: 'ready' });
    return () => subscription.dispose();
  }, [host]);

  if (!turn || !layout) return <Empty loaded={state.loaded} waiting={state.turns.length > 0} />;
  // Until the user chooses, what waits for them is shown, else the newest hop: the one that is running, or the one that answered.
  const waiting = waitingRow(layout.rows);
  const newest = waiting ?? layout.rows.findLast(({ kind }) => kind === 'hop') ?? layout.rows[0];
  const selected = layout.rows.find(({ id }) => id === row) ?? newest;
  const showChat = (): void => host.post({ type: 'showChat', turnId: turn.turnId });
  return (
    <div class="trace">
      <Toolbar state={state} onSelect={(turnId) => { setRow(undefined); host.post({ type: 'select', turnId }); }}
        onExport={() => host.post({ type: 'export' })} onChat={showChat} />
      <Legend />
      <div class="table-scroll"><Waterfall layout={layout} selected={selected?.id ?? ''} onSelect={setRow} /></div>
      {selected && <Details row={selected} turn={turn} onChat={showChat} onOpen={(path) => host.post({ type: 'openLocation', path })} />}
      <div class="visually-hidden" role="status">{waiting ? `${waiting.tool.name} is waiting for your decision in the chat` : turn.running ? '' : gateLabel(turn).text}</div>
    </div>
  );
}

function useNow(running: boolean): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    if (!running) return undefined;
    const timer = window.setInterval(() => setNow(performance.now()), redrawMs);
    return () => window.clearInterval(timer);
  }, [running]);
  return now;
}

interface ToolbarProps { readonly state: TraceViewState; readonly onSelect: (turnId: string) => void; readonly onExport: () => void; readonly onChat: () => void }

function Toolbar({ state, onSelect, onExport, onChat }: ToolbarProps): JSX.Element {
  const { turn } = state;
  const first = turn?.firstTokenMs;
  return (
    <div class="toolbar">
      <span class="picker">
        <select aria-label="Turn" value={state.selected ?? ''} onChange={(event) => onSelect(event.currentTarget.value)}>
          {state.turns.map((summary, index) => <option key={summary.turnId} value={summary.turnId}>{turnLabel(summary, state.turns.length - index)}</option>)}
        </select>
      </span>
      <span class="dim ellipsis model-name">{turn?.model}</span>
      {first !== undefined && (
        <span class="first-token" title={`Goal: ${formatDuration(firstTokenGoalMs)}`}>
          first token <b class={first <= firstTokenGoalMs ? 'good' : 'attention'}>{formatDuration(first)}</b>{first <= firstTokenGoalMs ? ' ✓' : ` · goal ${formatDuration(firstTokenGoalMs)}`}
        </span>
      )}
      <button type="button" class="link-button" onClick={onChat}>show in chat</button>
      <button type="button" class="icon-button labelled" title="Export this trace (OTLP or Chrome format)" onClick={onExport}><Icon name="export" size={14} />export</button>
    </div>
  );
}

function turnLabel({ question, at }: TraceTurnSummary, number: number): string {
  const line = question.replace(/\s+/g, ' ').trim();
  const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return `turn ${number} · ${time} · ${line.length > 60 ? `${line.slice(0, 59)}…` : line}`;
}

function Legend(): JSX.Element {
  return (
    <ul class="legend" aria-label="Legend">
      {segmentKinds.filter((kind) => kind !== 'running').map((kind) => <li key={kind}><span class={`swatch segment ${kind}`} />{segmentNames[kind]}</li>)}
      <li class="goal-legend"><span class="goal-swatch" />{firstTokenGoalMs} ms to first token</li>
    </ul>
  );
}

function Empty({ loaded, waiting }: { readonly loaded: boolean; readonly waiting: boolean }): JSX.Element {
  if (!loaded || waiting) return <div class="empty-trace dim">Loading the trace…</div>;
  return (
    <div class="empty-trace">
      <Icon name="trace" size={32} />
      <p><b>No turn yet</b></p>
      <p class="dim">Ask something in the chat: every hop of the agent appears here, with where its time went and why it stopped.</p>
    </div>
  );
}
