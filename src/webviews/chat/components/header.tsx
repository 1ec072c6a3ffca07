import type { JSX } from 'preact';
import type { ContextGauge, ModelBadge } from '../../../protocol/views.js';
import { formatCount, formatTokensShort } from '../../shared/format.js';
import { Icon } from '../../shared/icons.js';
import { useSend } from '../context.js';

interface HeaderProps {
  readonly title: string;
  readonly model: ModelBadge;
  readonly context: ContextGauge;
  readonly historyOpen: boolean;
  readonly onHistory: () => void;
}

export function Header({ title, model, context, historyOpen, onHistory }: HeaderProps): JSX.Element {
  return (
    <header class="chat-header">
      <button type="button" class="chat-title" aria-expanded={historyOpen} aria-controls="history" title="Chat history" onClick={onHistory}>
        <span class="ellipsis">{title || 'New chat'}</span><Icon name="chevron" size={12} />
      </button>
      <ModelPill model={model} />
      {model.state === 'ready' && context.cached > 0 && (
        <span class="pill" title={`${formatCount(context.cached)} tokens of this conversation are in the KV cache and need not be read again`}>
          <b class="good">warm</b> {formatTokensShort(context.cached)}<span class="wide-only"> tokens</span>
        </span>
      )}
    </header>
  );
}

/** What the label does not say by itself. */
const stateWords: Readonly<Record<ModelBadge['state'], string>> = {
  none: '', idle: 'not loaded', downloading: 'downloading', checking: 'checking the file', loading: 'loading', ready: '', failed: 'failed', untrusted: '', remote: 'endpoint',
};

function ModelPill({ model }: { readonly model: ModelBadge }): JSX.Element | null {
  const send = useSend();
  const word = stateWords[model.state];
  const percent = model.fraction === undefined ? '' : ` ${Math.floor(model.fraction * 100)} %`;
  const state = word + percent;
  const name = model.label || (state === '' ? 'Choose Model' : '');
  const label = [name, state].filter((part) => part !== '').join(' · ');
  return (
    <button
      type="button" class={`pill model-pill ${model.state}`} title={`${model.detail || label}\nChoose another model`}
      aria-label={`Model: ${label}. ${model.detail}. Choose another model`} onClick={() => send({ type: 'chooseModel' })}
    >
      {/* A long name may be cut, what happens to it may not. */}
      <span class="ellipsis">{name}</span>{state !== '' && <span>{name === '' ? state : `· ${state}`}</span>}
      {model.fraction !== undefined && <span class="pill-progress" style={{ width: `${Math.round(model.fraction * 100)}%` }} />}
    </button>
  );
}
