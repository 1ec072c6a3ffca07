import type { ComponentChildren, JSX } from 'preact';
import type { TraceHop, TraceTurn } from '../../protocol/trace.js';
import { formatMilliseconds } from '../shared/format.js';
import { VisibleText } from '../shared/visibleTextView.js';
import { budgetFacts, budgetSentence, type Fact, gateLabel, hopCache, hopOutcome, hopTimes, prettyArguments, toolFacts, toolPath } from './describe.js';
import { isWaiting, type Row, type ToolRow } from './layout.js';

interface DetailsProps { readonly row: Row; readonly turn: TraceTurn; readonly onOpen: (path: string) => void; readonly onChat: () => void }

export function Details({ row, turn, onOpen, onChat }: DetailsProps): JSX.Element {
  return (
    <section class="details" aria-label="Details of the selected row">
      {row.kind === 'hop' && <HopDetails hop={row.hop} turn={turn} />}
      {row.kind === 'tool' && <ToolDetails row={row} onOpen={onOpen} onChat={onChat} />}
      {row.kind === 'start' && (
        <Group title={`MCP server ${row.start.server}`}>
          <Facts facts={[{ name: 'cold start', value: formatMilliseconds(row.ms) }]} />
          <p><VisibleText text={row.start.problem ?? 'It was started before the first hop, to learn which tools it has.'} /></p>
        </Group>
      )}
      {row.kind === 'gate' && <GateDetails turn={turn} />}
    </section>
  );
}

function HopDetails({ hop, turn }: { readonly hop: TraceHop; readonly turn: TraceTurn }): JSX.Element {
  const last = turn.hops.at(-1) === hop;
  return (
    <>
      <Group title={`Hop ${hop.hop}, where the time went`}><Facts facts={hopTimes(hop)} empty="The parts are known when the model has finished." /></Group>
      <Group title="KV cache"><Facts facts={hopCache(hop)} empty="Known when the model has finished." /></Group>
      <Group title={last && turn.gate ? 'Why it stopped' : 'What came of it'}>
        {hopOutcome(hop).map((line) => <p key={line}><VisibleText text={line} /></p>)}
        {last && turn.gate && <><p><VisibleText text={turn.gate.reason} /></p><p class="dim number">{budgetSentence(turn, turn.gate)}</p></>}
      </Group>
    </>
  );
}

interface ToolDetailsProps { readonly row: ToolRow; readonly onOpen: (path: string) => void; readonly onChat: () => void }

function ToolDetails({ row, onOpen, onChat }: ToolDetailsProps): JSX.Element {
  const { tool } = row;
  const waiting = isWaiting(row);
  const path = toolPath(tool);
  return (
    <>
      {waiting && (
        <Group title="Waiting for your decision">
          <p>Nothing is {tool.class === 'execute' ? 'run' : 'written'} until you decide in the chat.</p>
          <button type="button" class="button primary" onClick={onChat}>Decide in the Chat</button>
        </Group>
      )}
      <Group title={`${tool.name}, where the time went`}><Facts facts={toolFacts(row)} /></Group>
      <Group title="Arguments">
        <pre tabIndex={0}><VisibleText text={prettyArguments(tool)} /></pre>
        {path !== undefined && <button type="button" class="link-button" onClick={() => onOpen(path)}>Open <VisibleText text={path} /></button>}
      </Group>
      {!waiting && <Group title="Result"><p><VisibleText text={tool.summary || (tool.outcome ? 'No summary.' : 'Still running.')} /></p></Group>}
    </>
  );
}

function GateDetails({ turn }: { readonly turn: TraceTurn }): JSX.Element {
  const { gate } = turn;
  if (!gate) return <Group title="Why it stopped"><p>{turn.running ? 'It has not: the turn is running.' : 'The turn broke off before a gate was reached.'}</p></Group>;
  return (
    <>
      <Group title="Why it stopped">
        <p>{gateLabel(turn).text}</p>
        <p><VisibleText text={gate.reason} /></p>
      </Group>
      <Group title="Spent of the budget"><Facts facts={budgetFacts(turn, gate)} /></Group>
      {gate.error
        ? <Group title="Error"><p class="bad"><VisibleText text={gate.error.message} /></p><p><VisibleText text={gate.error.next} /></p></Group>
        : <Group title="Turn"><Facts facts={[{ name: 'model', value: turn.model }, { name: 'hops', value: String(turn.hops.length) }, { name: 'trace id', value: turn.traceId }]} /></Group>}
    </>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return <div class="group"><h3>{title}</h3>{children}</div>;
}

function Facts({ facts, empty = '' }: { readonly facts: readonly Fact[]; readonly empty?: string }): JSX.Element {
  if (facts.length === 0) return <p class="dim">{empty}</p>;
  return (
    <dl class="facts">
      {facts.map(({ name, value }) => <div key={name}><dt>{name}</dt><dd><VisibleText text={value} /></dd></div>)}
    </dl>
  );
}
