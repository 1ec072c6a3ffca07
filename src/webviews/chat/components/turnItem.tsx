import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Attachment } from '../../../protocol/conversation.js';
import { formatCount } from '../../shared/format.js';
import { Icon } from '../../shared/icons.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { useSend } from '../context.js';
import { Markdown } from '../markdown/markdown.js';
import { attachmentLabel, questionParts } from '../model/mentions.js';
import { answerText, type HopView, hopProse, type ModelProgress, type TurnView } from '../model/turnView.js';
import { ApprovalCard, type Decide } from './approvalCards.js';
import { GateFooter } from './gateFooter.js';
import { HopSummary, ToolLine } from './steps.js';

interface TurnProps { readonly turn: TurnView; readonly running: boolean; readonly latest: boolean; readonly onDecide: Decide }

/** A question and what came of it. Drawn again only when its turn changed. */
export function TurnItem({ turn, running, latest, onDecide }: TurnProps): JSX.Element {
  return useMemo(() => {
    const answer = answerText(turn);
    return (
      <article class="turn" data-turn={turn.id} aria-label={`Question: ${turn.question.slice(0, 120)}`} aria-busy={running}>
        <Question turn={turn} />
        {turn.hops.map((hop) => <Hop key={hop.hop} turn={turn} hop={hop} running={running} onDecide={onDecide} />)}
        {turn.finished && turn.hops.some(({ tools }) => tools.length > 0) && <ul class="steps closing"><HopSummary turn={turn} /></ul>}
        {answer !== '' && <Markdown text={answer} finished={turn.finished} />}
        {running && <Progress progress={turn.progress} started={turn.hops.length > 0} writing={answer !== '' && !turn.progress} />}
        {turn.gate && <GateFooter turn={turn} gate={turn.gate} latest={latest && !running} />}
        {!running && !turn.gate && !turn.fresh && <Interrupted turnId={turn.id} />}
      </article>
    );
  }, [turn, running, latest, onDecide]);
}

function Question({ turn }: { readonly turn: TurnView }): JSX.Element {
  return (
    <div class="question">
      {questionParts(turn.question, turn.attachments).map((part, index) =>
        typeof part === 'string' ? <VisibleText key={index} text={part} /> : <AttachmentLink key={index} attachment={part} />)}
    </div>
  );
}

function AttachmentLink({ attachment }: { readonly attachment: Attachment }): JSX.Element {
  const send = useSend();
  const label = attachmentLabel(attachment);
  if (attachment.path === '') return <span class="chip">{label}</span>;
  const { path, startLine: line } = attachment;
  return (
    <button type="button" class="chip" title={path} onClick={() => send({ type: 'openLocation', path, ...(line === undefined ? {} : { line }) })}>
      <VisibleText text={label} />
    </button>
  );
}

interface HopProps { readonly turn: TurnView; readonly hop: HopView; readonly running: boolean; readonly onDecide: Decide }

function Hop({ turn, hop, running, onDecide }: HopProps): JSX.Element | null {
  const prose = hopProse(turn, hop);
  if (prose === '' && hop.tools.length === 0 && hop.notes.length === 0) return null;
  return (
    <>
      {prose !== '' && <div class="prose"><Markdown text={prose} finished /></div>}
      <ul class="steps" aria-label={`Hop ${hop.hop}`}>
        {hop.notes.map((note, index) => <li key={`note${index}`} class="tool-line note"><VisibleText text={note} /></li>)}
        {hop.tools.map((tool) => <ToolLine key={tool.call.id} tool={tool} running={running} />)}
      </ul>
      {hop.tools.map(({ call, approval }) => approval && <ApprovalCard key={call.id} view={approval} live={running} onDecide={onDecide} />)}
    </>
  );
}

const phases: Readonly<Record<ModelProgress['phase'], string>> = { queue: 'waiting for the model', restore: 'restoring the context', prefill: 'reading' };

/** What happens before the first token, with numbers where there are some. */
function Progress({ progress, started, writing }: { readonly progress: ModelProgress | undefined; readonly started: boolean; readonly writing: boolean }): JSX.Element | null {
  if (writing) return null;
  if (!progress) return started ? null : <p class="progress"><span class="spinner" aria-hidden="true" />starting</p>;
  const { phase, done, total } = progress;
  const counts = total > 0 ? `${formatCount(done)} of ${formatCount(total)} tokens` : '';
  return (
    <div class="progress">
      <span class="spinner" aria-hidden="true" />
      <span>{phases[phase]}{counts && ` · ${counts}`}</span>
      {total > 0 && <progress max={total} value={done} aria-label={phases[phase]} />}
    </div>
  );
}

function Interrupted({ turnId }: { readonly turnId: string }): JSX.Element {
  const send = useSend();
  return (
    <footer class="gate stopped">
      <p><b class="attention">interrupted</b> — the turn ended without a result.</p>
      <div class="gate-actions"><button type="button" class="button secondary" onClick={() => send({ type: 'retry', turnId })}><Icon name="retry" size={12} />Retry</button></div>
    </footer>
  );
}
