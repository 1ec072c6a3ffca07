import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Approval, Remember } from '../../../protocol/agentEvents.js';
import { Icon } from '../../shared/icons.js';
import { hasHidden, visibleCommand } from '../../shared/visibleText.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { useSend } from '../context.js';
import { diffLines } from '../model/diffLines.js';
import type { ApprovalView } from '../model/turnView.js';

/** Decides one approval; the caller makes sure that it is sent once. */
export type Decide = (approvalId: string, decision: 'accepted' | 'rejected', remember?: Remember) => void;

interface CardProps { readonly view: ApprovalView; readonly live: boolean; readonly onDecide: Decide }

export function ApprovalCard({ view, live, onDecide }: CardProps): JSX.Element {
  const { approval } = view;
  switch (approval.kind) {
    case 'edit': return <EditCard approval={approval} view={view} live={live} onDecide={onDecide} />;
    case 'command': return <CommandCard approval={approval} view={view} live={live} onDecide={onDecide} />;
    case 'tool': return <ToolCard approval={approval} view={view} live={live} onDecide={onDecide} />;
  }
}

const shownLines = 60;

function EditCard({ approval, view, live, onDecide }: CardProps & { readonly approval: Extract<Approval, { kind: 'edit' }> }): JSX.Element {
  const send = useSend();
  const { edit } = approval;
  const diff = useMemo(() => diffLines(edit, shownLines), [edit]);
  const hidden = useMemo(() => hasHidden(edit.path) || diff.lines.some(({ kind, text }) => kind === 'added' && hasHidden(text)), [diff, edit]);
  return (
    <Card label={`${edit.kind === 'create' ? 'New file' : 'Edit of'} ${edit.path}`} pending={live && view.state === 'pending'}>
      <div class="card-head">
        <Icon name="file" size={14} />
        <span class="path ellipsis" title={edit.path}><VisibleText text={edit.path} /></span>
        {edit.kind === 'create' && <span class="tag">new file</span>}
        <span class="counts"><span class="added-count" aria-label={`${diff.added} lines added`}>+{diff.added}</span> <span class="removed-count" aria-label={`${diff.removed} lines removed`}>−{diff.removed}</span></span>
      </div>
      <Warnings warning={approval.warning} hidden={hidden} />
      <div class="diff" role="region" tabIndex={0} aria-label={`Changes in ${edit.path}`}>
        {diff.lines.map((line, index) => (
          <div key={index} class={`diff-line ${line.kind}`}>
            <span class="diff-number" aria-hidden="true">{line.newLine ?? line.oldLine ?? ''}</span>
            <span class="diff-sign">{signs[line.kind]}</span>
            <span class="diff-text"><VisibleText text={line.text} /></span>
          </div>
        ))}
        {diff.lines.length === 0 && <div class="diff-line note"><span class="diff-text">No change in the text.</span></div>}
        {diff.omitted > 0 && <div class="diff-line note"><span class="diff-text">{diff.omitted} more lines: Open Diff shows all of them.</span></div>}
      </div>
      <Decision view={view} live={live} accept="Apply" remembered={{ session: 'Apply All Edits in This Session' }} accepted="applied" rejected="rejected" onDecide={onDecide}>
        <button type="button" class="button secondary" onClick={() => send({ type: 'openDiff', approvalId: approval.id })}>Open Diff</button>
      </Decision>
    </Card>
  );
}

const signs = { added: '+', removed: '−', context: ' ', gap: '⋯', note: '' } as const;

function CommandCard({ approval, view, live, onDecide }: CardProps & { readonly approval: Extract<Approval, { kind: 'command' }> }): JSX.Element {
  return (
    <Card label="Command" pending={live && view.state === 'pending'}>
      <div class="card-head">
        <Icon name="terminal" size={14} />
        <span class="card-title">Run this command?</span>
        <span class="path ellipsis card-folder" title={approval.cwd}>in <VisibleText text={approval.cwd} /></span>
      </div>
      <Warnings warning={approval.warning} hidden={hasHidden(approval.command.replace(/[\t\r\n]/g, ''))} />
      <pre class="command" tabIndex={0} aria-label="The full command"><VisibleText text={approval.command} parts={visibleCommand(approval.command)} /></pre>
      {approval.confinement !== undefined && <p class="card-note dim">{approval.confinement}</p>}
      {approval.remember?.includes('exact') === true && approval.files !== undefined && <p class="card-note dim">“Always” holds while <Files paths={Object.keys(approval.files)} /></p>}
      <Decision view={view} live={live} accept="Run" remembered={{ exact: 'Always This Command in This Session', session: 'Run All in This Session' }} accepted="allowed" rejected="not run" onDecide={onDecide} />
    </Card>
  );
}

/** Files whose content an approval is bound to, as the end of a sentence. */
function Files({ paths }: { readonly paths: readonly string[] }): JSX.Element {
  const more = paths.length - 3;
  return (
    <>
      {paths.slice(0, 3).map((path, index) => <span key={path}>{index > 0 ? ', ' : ''}<VisibleText text={path} /></span>)}
      {more > 0 ? ` and ${more} more` : ''} {paths.length === 1 ? 'stays' : 'stay'} as {paths.length === 1 ? 'it is' : 'they are'}.
    </>
  );
}

function ToolCard({ approval, view, live, onDecide }: CardProps & { readonly approval: Extract<Approval, { kind: 'tool' }> }): JSX.Element {
  return (
    <Card label={`Tool ${approval.tool} of the MCP server ${approval.server}`} pending={live && view.state === 'pending'}>
      <div class="card-head">
        <Icon name="terminal" size={14} />
        <span class="card-title">Call <VisibleText text={approval.tool} />?</span>
        <span class="path ellipsis card-folder" title={approval.server}>MCP server <VisibleText text={approval.server} /></span>
      </div>
      <Warnings warning={approval.warning} hidden={false} />
      <pre class="command" tabIndex={0} aria-label="The arguments, in full">
        {/* Line ends and the blanks before a line are those of the indented JSON: in its texts line ends are escapes, and blanks stand behind a quote. */}
        {approval.arguments.split('\n').map((line, index) => {
          const text = line.trimStart();
          return <div key={index}>{' '.repeat(line.length - text.length)}<VisibleText text={text} parts={visibleCommand(text)} /></div>;
        })}
      </pre>
      <Decision view={view} live={live} accept="Call" remembered={{ exact: 'Always This Tool in This Session' }} accepted="allowed" rejected="not called" onDecide={onDecide} />
    </Card>
  );
}

function Card({ label, pending, children }: { readonly label: string; readonly pending: boolean; readonly children: ComponentChildren }): JSX.Element {
  return <section class={`card ${pending ? 'pending' : 'decided'}`} aria-label={label}>{children}</section>;
}

function Warnings({ warning, hidden }: { readonly warning: string | undefined; readonly hidden: boolean }): JSX.Element | null {
  if (warning === undefined && !hidden) return null;
  return (
    <div class="card-warning" role="note">
      <Icon name="warning" size={14} />
      <span><VisibleText text={warning ?? 'This text holds characters that cannot be seen; they are marked below.'} /></span>
    </div>
  );
}

const rememberTitles: Readonly<Record<Remember, string>> = {
  exact: 'It is not asked for again until this window closes. "Loupe: Session Approvals" takes it back.',
  session: 'Protected files and commands that are more than plain words are still asked for. "Loupe: Session Approvals" takes it back.',
};

interface DecisionProps extends CardProps {
  readonly accept: string;
  /** What the button says that has a yes remembered; shown where the approval offers it. */
  readonly remembered: Partial<Record<Remember, string>>;
  readonly accepted: string;
  readonly rejected: string;
  readonly children?: ComponentChildren;
}

function Decision({ view, live, accept, remembered, accepted, rejected, onDecide, children }: DecisionProps): JSX.Element {
  const { approval, state } = view;
  if (state === 'accepted' || state === 'rejected') {
    return (
      <div class="card-foot decided" role="status">
        <Icon name={state === 'accepted' ? 'check' : 'close'} size={14} />{state === 'accepted' ? accepted : rejected}
      </div>
    );
  }
  if (!live) return <div class="card-foot decided">the turn ended before a decision</div>;
  const waiting = state === 'sent';
  return (
    <div class="card-foot">
      <button type="button" class="button primary" data-approval={approval.id} disabled={waiting} onClick={() => onDecide(approval.id, 'accepted')}>{accept}</button>
      <button type="button" class="button secondary" disabled={waiting} onClick={() => onDecide(approval.id, 'rejected')}>Reject</button>
      {children}
      {(approval.remember ?? []).map((scope) => remembered[scope] !== undefined && (
        <button key={scope} type="button" class="button secondary" data-remember={scope} disabled={waiting} title={rememberTitles[scope]}
          onClick={() => onDecide(approval.id, 'accepted', scope)}>{remembered[scope]}</button>
      ))}
      <span class="waits dim">{waiting ? 'sent' : 'waits for you'}</span>
    </div>
  );
}
