import type { JSX } from 'preact';
import type { ModelBadge } from '../../../protocol/views.js';
import { Icon } from '../../shared/icons.js';
import { useSend } from '../context.js';

/** Shown while there are no turns: what Loupe is, or what is missing. */
export function EmptyState({ onSuggestion }: { readonly onSuggestion: (text: string) => void }): JSX.Element {
  return (
    <div class="empty">
      <Icon name="loupe" size={40} />
      <h2>Ask about this repository</h2>
      <p>The model reads, searches and proposes edits on this machine. Nothing is written and nothing runs until you approve it.</p>
      <ul class="suggestions" aria-label="Suggestions">
        {suggestions.map((text) => <li key={text}><button type="button" class="suggestion" onClick={() => onSuggestion(text)}>{text}</button></li>)}
      </ul>
      <p class="dim keys"><kbd>@</kbd> file, selection, problems, changes · <kbd>Enter</kbd> ask · <kbd>Esc</kbd> stop</p>
    </div>
  );
}

const suggestions = ['Where is the entry point, and what happens first?', 'Explain how the parts of this repository fit together.', 'Which tests cover the code I have changed?'];

/** What stands in the way of asking, with the way out. Null where nothing does. */
export function Obstacle({ model, trusted }: { readonly model: ModelBadge; readonly trusted: boolean }): JSX.Element | null {
  const send = useSend();
  if (!trusted || model.state === 'untrusted') {
    return (
      <section class="obstacle" role="status">
        <p class="obstacle-title"><Icon name="shield" /><b>Restricted Mode</b></p>
        <p>This workspace is not trusted, so Loupe starts no process and reads no file. Your chats are kept.</p>
        <div class="gate-actions"><button type="button" class="button primary" onClick={() => send({ type: 'action', action: 'manageTrust' })}>Manage Workspace Trust</button></div>
      </section>
    );
  }
  if (model.state === 'none') {
    return (
      <section class="obstacle" role="status">
        <p class="obstacle-title"><Icon name="loupe" /><b>No model yet</b></p>
        <p>{model.detail || 'Loupe needs a model file on this machine, or an endpoint.'}</p>
        <div class="gate-actions">
          <button type="button" class="button primary" onClick={() => send({ type: 'chooseModel' })}>Choose Model</button>
          <button type="button" class="button secondary" onClick={() => send({ type: 'action', action: 'chooseModelFile' })}>Choose a GGUF File</button>
        </div>
      </section>
    );
  }
  if (model.state === 'failed') {
    return (
      <section class="obstacle bad-border" role="alert">
        <p class="obstacle-title"><Icon name="warning" /><b>{model.label || 'The model'} could not be used</b></p>
        <p>{model.detail}</p>
        <div class="gate-actions">
          <button type="button" class="button primary" onClick={() => send({ type: 'chooseModel' })}>Choose Model</button>
          {model.endpoint === true
            ? <button type="button" class="button secondary" onClick={() => send({ type: 'action', action: 'openSettings' })}>Open Settings</button>
            : <button type="button" class="button secondary" onClick={() => send({ type: 'action', action: 'restartSidecar' })}>Restart Sidecar</button>}
          <button type="button" class="button secondary" onClick={() => send({ type: 'action', action: 'showLog' })}>Show Log</button>
        </div>
      </section>
    );
  }
  return model.state === 'downloading' || model.state === 'checking' || model.state === 'loading' ? <Coming model={model} doing={doing[model.state]} /> : null;
}

const doing = { downloading: 'Downloading', checking: 'Checking the file of', loading: 'Loading' } as const;

/** A model on its way. A download has its own way to be cancelled, in its notification. */
function Coming({ model: { state, label, fraction }, doing: verb }: { readonly model: ModelBadge; readonly doing: string }): JSX.Element {
  const send = useSend();
  return (
    <section class="obstacle quiet">
      <div class="coming">
        <p class="number">{verb} {label}{fraction === undefined ? '…' : <span class="nowrap"> · {Math.floor(fraction * 100)} %</span>}</p>
        {state !== 'downloading' && <button type="button" class="link-button" aria-label={`Cancel: ${verb} ${label}`} onClick={() => send({ type: 'cancelLoading' })}>Cancel</button>}
      </div>
      <progress aria-label={`${verb} ${label}`} {...(fraction === undefined ? {} : { max: 1, value: fraction })} />
      <span class="visually-hidden" role="status">{verb} {label}</span>
    </section>
  );
}
