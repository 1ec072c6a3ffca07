import type { JSX } from 'preact';
import { Icon } from '../../shared/icons.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { useSend } from '../context.js';
import { gateKind, gateSummary, saysMore } from '../model/gateText.js';
import { continuation, stepsForError } from '../model/nextSteps.js';
import type { GateView, TurnView } from '../model/turnView.js';

/** Why the turn stopped and what it cost; for a turn that did not reach its goal, what to do about it. `latest`: further steps make sense. */
export function GateFooter({ turn, gate, latest }: { readonly turn: TurnView; readonly gate: GateView; readonly latest: boolean }): JSX.Element {
  const kind = gateKind(gate.gate, turn.partial);
  return (
    <footer class={`gate ${kind}`}>
      {gate.error && <ErrorBox turn={turn} error={gate.error} />}
      <p><b class={kind === 'done' ? 'good' : kind === 'failed' ? 'bad' : 'attention'}>{kind}</b> — {gateSummary(turn)}</p>
      {!gate.error && saysMore(kind, gate.reason) && <p class="gate-reason"><VisibleText text={gate.reason} /></p>}
      {kind !== 'done' && <Unfinished turn={turn} gate={gate} latest={latest} />}
      {turn.undo && <Undo turnId={turn.id} undo={turn.undo} />}
    </footer>
  );
}

function Undo({ turnId, undo }: { readonly turnId: string; readonly undo: NonNullable<TurnView['undo']> }): JSX.Element {
  const send = useSend();
  if (undo.state === 'none') return <p class="gate-reason">This turn cannot be undone: <VisibleText text={undo.why} /></p>;
  return (
    <div class="gate-actions">
      <button type="button" class="button secondary" title="Take back what this turn changed; your own changes are kept" onClick={() => send({ type: 'undoTurn', turnId })}>Undo Turn</button>
      <button type="button" class="button secondary" title="Bring the folder back to what it was before this turn" onClick={() => send({ type: 'restoreCheckpoint', turnId })}>Restore Checkpoint</button>
    </div>
  );
}

function Unfinished({ turn, gate, latest }: { readonly turn: TurnView; readonly gate: GateView; readonly latest: boolean }): JSX.Element | null {
  const send = useSend();
  const more = continuation(gate.gate);
  if (!latest && !turn.partial) return null;
  return (
    <div class="gate-actions">
      {turn.partial && <span class="tag">partial answer</span>}
      {latest && more !== undefined && (
        <button type="button" class="button primary" onClick={() => send({ type: 'ask', text: more, attachments: [] })}><Icon name="continue" size={12} />Continue</button>
      )}
      {latest && !gate.error && (
        <button type="button" class="button secondary" onClick={() => send({ type: 'retry', turnId: turn.id })}><Icon name="retry" size={12} />Retry</button>
      )}
    </div>
  );
}

function ErrorBox({ turn, error }: { readonly turn: TurnView; readonly error: NonNullable<GateView['error']> }): JSX.Element {
  const send = useSend();
  return (
    <div class="error-box" role="alert">
      <p class="error-message"><Icon name="warning" size={14} /><span><VisibleText text={error.message} /></span></p>
      <p><VisibleText text={error.next} /></p>
      {error.cause !== undefined && error.cause !== error.message && (
        <details><summary>Details</summary><pre tabIndex={0}><VisibleText text={error.cause} /></pre></details>
      )}
      <div class="gate-actions">
        {stepsForError(error.code, turn.id).map(({ label, message }, index) => (
          <button key={label} type="button" class={`button ${index === 0 ? 'primary' : 'secondary'}`} onClick={() => send(message)}>{label}</button>
        ))}
      </div>
    </div>
  );
}
