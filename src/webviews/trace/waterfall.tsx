import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { formatDuration } from '../shared/format.js';
import { VisibleText } from '../shared/visibleTextView.js';
import { barText, gateLabel, rowCells, toolSubject } from './describe.js';
import { firstTokenGoalMs, isWaiting, percentOf, type Row, type Waterfall as Layout } from './layout.js';

interface WaterfallProps { readonly layout: Layout; readonly selected: string; readonly onSelect: (id: string) => void }

/** A grid: one tab stop, arrow keys, Home and End move the selection; the details follow it. */
export function Waterfall({ layout, selected, onSelect }: WaterfallProps): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const { rows, axisMs, ticksMs } = layout;

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = rows.findIndex(({ id }) => id === selected);
    const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const row = rows[Math.min(rows.length - 1, Math.max(0, target))];
    if (!row) return;
    onSelect(row.id);
    body.current?.querySelector<HTMLElement>(`[data-row="${row.id}"]`)?.focus();
  };

  return (
    <table class="waterfall" role="grid" aria-label="Hops of this turn" aria-rowcount={rows.length + 1}>
      <thead>
        <tr>
          <th scope="col" class="hop-number">hop</th>
          <th scope="col" class="what">what</th>
          <th scope="col" class="bar-cell">
            <span class="axis" aria-label={`Time, 0 to ${formatDuration(axisMs)}`}>
              {ticksMs.map((tick, index) => (
                <span key={tick} class={`tick ${index === 0 ? 'first' : index === ticksMs.length - 1 ? 'last' : ''}`} style={{ left: `${percentOf(tick, axisMs)}%` }}>{axisLabel(tick)}</span>
              ))}
            </span>
          </th>
          <th scope="col" class="number-cell" title="Prompt tokens; for a tool, size of its arguments">in</th>
          <th scope="col" class="number-cell" title="Share of the prompt found in the KV cache">cached</th>
          <th scope="col" class="number-cell" title="Tokens written; for a tool, size of its result">out</th>
          <th scope="col" class="number-cell">ms</th>
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={onKeyDown}>
        {rows.map((row) => <RowView key={row.id} row={row} axisMs={axisMs} selected={row.id === selected} onSelect={onSelect} />)}
      </tbody>
    </table>
  );
}

const axisLabel = (ms: number): string => (ms === 0 ? '0' : ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(2))} s`);

interface RowProps { readonly row: Row; readonly axisMs: number; readonly selected: boolean; readonly onSelect: (id: string) => void }

function RowView({ row, axisMs, selected, onSelect }: RowProps): JSX.Element {
  const { input, cached, output, ms } = rowCells(row);
  return (
    <tr
      data-row={row.id} class={`row ${row.kind}`} aria-selected={selected} tabIndex={selected ? 0 : -1}
      onClick={() => onSelect(row.id)} onFocus={() => { if (!selected) onSelect(row.id); }}
    >
      <td class="hop-number">{row.kind === 'hop' ? row.hop.hop : row.kind === 'gate' ? gateLabel(row.turn).sign : ''}</td>
      <td class="what"><What row={row} /></td>
      <td class="bar-cell"><Bar row={row} axisMs={axisMs} /></td>
      <td class="number-cell">{input}</td>
      <td class="number-cell">{cached}</td>
      <td class="number-cell">{output}</td>
      <td class="number-cell">{ms}</td>
    </tr>
  );
}

function What({ row }: { readonly row: Row }): JSX.Element {
  if (row.kind === 'gate') {
    const { text, kind } = gateLabel(row.turn);
    return <span class={`gate-text ${kind}`}>{text}</span>;
  }
  if (row.kind === 'hop') {
    return <>model → {row.hop.outcome}{row.hop.malformed.length > 0 && <span class="attention" title="A tool call was not understood"> · repaired</span>}</>;
  }
  if (row.kind === 'start') return <span class="dim">start of the MCP server <VisibleText text={row.start.server} />{row.start.problem !== undefined && <span class="bad"> failed</span>}</span>;
  const subject = toolSubject(row.tool);
  const failed = row.tool.outcome === 'error' || row.tool.outcome === 'refused';
  return (
    <span class="dim tool-what" title={subject}>
      <span class="ellipsis">{row.tool.name} {subject !== '' && <VisibleText text={`"${subject}"`} />}</span>
      {failed && <span class="bad">{row.tool.outcome}</span>}
      {isWaiting(row) && <span class="attention">waiting for your decision</span>}
    </span>
  );
}

function Bar({ row, axisMs }: { readonly row: Row; readonly axisMs: number }): JSX.Element {
  const text = barText(row);
  return (
    <span class="bar" role="img" aria-label={text || 'no time of its own'} title={text}>
      {row.segments.map(({ kind, startMs, durationMs, open }, index) => (
        <span key={index} class={`segment ${kind}${open ? ' open' : ''}`} style={{ left: `${percentOf(startMs, axisMs)}%`, width: `${percentOf(startMs + durationMs, axisMs) - percentOf(startMs, axisMs)}%` }} />
      ))}
      <span class="goal" style={{ left: `${percentOf(firstTokenGoalMs, axisMs)}%` }} />
    </span>
  );
}
