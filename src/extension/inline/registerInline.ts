import * as vscode from 'vscode';
import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import type { Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import type { ContextInitialization } from '../../protocol/context.js';
import type { InlineInitialization, InlineMeasurement, InlineStatus } from '../../protocol/inline.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { LoadParams } from '../../protocol/sidecar.js';
import type { ContextServer } from '../memory/contextClient.js';
import type { Trust } from '../trust.js';
import { EarlyTyping } from './earlyTyping.js';
import { InlineClient } from './inlineClient.js';
import { InlineController } from './inlineController.js';
import { InlineStatusItem } from './inlineStatusItem.js';
import { InlineStatistics, noCounts } from './inlineStatistics.js';

export interface InlineDeps {
  /** Path of the language server's bundle. */
  readonly serverModule: string;
  readonly sidecar: InlineInitialization['sidecar'];
  readonly context: ContextInitialization;
  readonly trust: Trust;
  readonly settings: {
    get<K extends SettingKey>(key: K): SettingValue<K>;
    readonly onDidChange: Event<ReadonlySet<SettingKey>>;
  };
  /** What to load for the completion role; an error with a next step when there is nothing. */
  readonly completionModel: (onCheck: (fraction: number) => void, signal: AbortSignal) => Promise<Result<LoadParams>>;
  readonly onDidChangeModels: Event<void>;
  /** Keeps the counts of suggestions on this machine. */
  readonly memento: vscode.Memento;
  readonly channel: vscode.LogOutputChannel;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onStatus: (status: InlineStatus) => void;
}

/** Command that VS Code runs when a suggestion is accepted: internal, so it is in no table and no palette. */
const acceptedCommand = 'loupe.inlineAccepted';
const countsKey = 'loupe.inline.counts';

/** Inline suggestions of this window: client, status and counts. Starts nothing before the workspace is trusted. `server` also keeps the repository index. */
export function registerInline(deps: InlineDeps): Disposable & { readonly server: ContextServer; readonly index: Pick<ContextServer, 'request'> } {
  const disposables = new DisposableStore();
  const { memento, logger } = deps;
  const item = disposables.add(new InlineStatusItem());
  let status: InlineStatus = { state: 'starting' };
  const early = new EarlyTyping(deps.clock);
  const statistics = new InlineStatistics(memento.get(countsKey, noCounts), (counts) => {
    void memento.update(countsKey, counts);
    item.show(status, counts);
  });
  const onStatus = (next: InlineStatus): void => {
    status = next;
    item.show(next, statistics.counts);
    deps.onStatus(next);
    if (early.becomes(next.state, shownDocument())) void vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
  };
  const client = new InlineClient({
    ...deps,
    onStatus,
    onMeasured: (measurement) => {
      statistics.measured(measurement);
      logger.log('debug', 'Inline suggestion', fieldsOf(measurement));
    },
    onOffered: (document, items) => {
      for (const item of items) {
        if (typeof item.insertText !== 'string') continue;
        const id = statistics.offered(document.uri.toString(), item.insertText);
        item.command = { command: acceptedCommand, title: 'Suggestion Accepted', arguments: [id] };
      }
    },
  });
  const controller = disposables.add(new InlineController({ ...deps, onStatus, server: client }));
  disposables.add(vscode.commands.registerCommand(acceptedCommand, (id: unknown) => {
    if (typeof id === 'number') statistics.accepted(id);
  }));
  disposables.add(vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (contentChanges.length > 0 && document.uri.toString() === shownDocument()) early.changed(document.uri.toString());
    const [change] = contentChanges;
    if (contentChanges.length === 1 && change !== undefined) statistics.inserted(document.uri.toString(), change.text);
  }));
  controller.refresh();
  /** For questions of others than the memory: starts the server where nothing else needs it. */
  const index: Pick<ContextServer, 'request'> = {
    request: async (type, params, signal) => {
      await controller.needIndex();
      return client.request(type, params, signal);
    },
  };
  return { server: client, index, dispose: () => disposables.dispose() };
}

const shownDocument = (): string | undefined => vscode.window.activeTextEditor?.document.uri.toString();

function fieldsOf({ stats, ...rest }: InlineMeasurement): Readonly<Record<string, unknown>> {
  return { ...rest, ...(stats === undefined ? {} : { prefillMs: stats.prefillMs, decodeMs: stats.decodeMs, tokensIn: stats.tokensIn, tokensCached: stats.tokensCached, tokensOut: stats.tokensOut }) };
}
