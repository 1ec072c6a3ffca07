import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatDuration, plural } from '../../shared/format.js';
import { Icon } from '../../shared/icons.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { useSend } from '../context.js';
import { describeCall, outcomeOf } from '../model/describeCall.js';
import type { ToolView, TurnView } from '../model/turnView.js';

const previewCharacters = 4000;

/** One tool call as a line; its result unfolds below. */
export function ToolLine({ tool, running }: { readonly tool: ToolView; readonly running: boolean }): JSX.Element {
  const [open, setOpen] = useState(false);
  const { verb, object, location } = describeCall(tool.call, tool.outcome === undefined);
  const finished = tool.outcome !== undefined;
  const summary = outcomeOf(tool.call, tool.summary);
  const failed = tool.outcome === 'error' || tool.outcome === 'refused';
  return (
    <li class={`tool-line${failed ? ' failed' : ''}`}>
      <button type="button" class="tool-summary" aria-expanded={open} disabled={!finished} title={location?.path ?? object} onClick={() => setOpen(!open)}>
        <span class="tool-chevron"><Icon name="chevron" size={10} /></span>
        <span class="tool-text">
          <b>{verb}</b> <VisibleText text={object} />
          {summary !== '' && <span class={failed ? 'bad' : ''}> · <VisibleText text={summary} /></span>}
        </span>
        <span class="tool-time">{finished ? formatDuration(tool.toolMs) : running ? <Unfinished waiting={tool.approval?.state === 'pending'} /> : 'not finished'}</span>
      </button>
      {open && <ToolDetails tool={tool} />}
    </li>
  );
}

function Unfinished({ waiting }: { readonly waiting: boolean }): JSX.Element {
  return waiting ? <span class="attention">waits for you</span> : <span class="spinner" aria-label="running" />;
}

function ToolDetails({ tool }: { readonly tool: ToolView }): JSX.Element {
  const send = useSend();
  const { location } = describeCall(tool.call, false);
  const cut = tool.result.length > previewCharacters;
  return (
    <div class="tool-details">
      <pre tabIndex={0} aria-label={`Result of ${tool.call.name}`}><VisibleText text={tool.result.slice(0, previewCharacters)} /></pre>
      {(cut || tool.truncated) && (
        <p class="dim">{cut ? `The first ${previewCharacters.toLocaleString('en-US')} characters are shown.` : 'The model saw this much; the rest was cut.'}</p>
      )}
      {location && <button type="button" class="link-button" onClick={() => send({ type: 'openLocation', ...location })}>Open {location.path}</button>}
    </div>
  );
}

/** "2 hops · 0.62 s to first token", with the way into the trace. */
export function HopSummary({ turn }: { readonly turn: TurnView }): JSX.Element | null {
  const send = useSend();
  if (turn.hops.length === 0 || !turn.finished) return null;
  return (
    <li class="tool-line hop-summary">
      <span class="tool-text">
        <b>{plural(turn.hops.length, 'hop')}</b>{turn.firstTokenMs !== undefined && ` · ${formatDuration(turn.firstTokenMs)} to first token`}
      </span>
      <button type="button" class="link-button quiet" onClick={() => send({ type: 'showTrace', turnId: turn.id })}>view trace</button>
    </li>
  );
}
