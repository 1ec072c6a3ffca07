import type { ErrorCode } from '../base/errors.js';
import type { CommandId } from '../protocol/commands.js';

export interface NextStep { readonly title: string; readonly command: CommandId | 'workbench.trust.manage' | 'workbench.action.openSettings' | 'workbench.view.scm'; readonly argument?: string }

const chooseModel: NextStep = { title: 'Choose Model', command: 'loupe.chooseModel' };
const restart: NextStep = { title: 'Restart Sidecar', command: 'loupe.restartSidecar' };
const log: NextStep = { title: 'Show Log', command: 'loupe.showLog' };
const key: NextStep = { title: 'Set API Key', command: 'loupe.setEndpointKey' };
const endpointSettings: NextStep = { title: 'Endpoint Settings', command: 'workbench.action.openSettings', argument: 'loupe.endpoint' };
const contextSettings: NextStep = { title: 'Context Settings', command: 'workbench.action.openSettings', argument: 'loupe.model.contextSize' };
const memorySettings: NextStep = { title: 'Memory Settings', command: 'workbench.action.openSettings', argument: 'loupe.memory' };
const remember: NextStep = { title: 'Try Again', command: 'loupe.rememberRepository' };
const trust: NextStep = { title: 'Manage Trust', command: 'workbench.trust.manage' };

const exportAgain: NextStep = { title: 'Export Again', command: 'loupe.exportTrace' };
const gitSettings: NextStep = { title: 'Git Settings', command: 'workbench.action.openSettings', argument: 'git.enabled' };
const sourceControl: NextStep = { title: 'Open Source Control', command: 'workbench.view.scm' };

/** The buttons that a message about an error offers: what the user can do next, most useful first. */
export function nextSteps(code: ErrorCode): readonly NextStep[] {
  switch (code) {
    case 'model.none': case 'model.notFound': case 'model.notGguf': case 'model.truncated': case 'model.hashMismatch':
    case 'model.unsupported': case 'model.noFillInMiddle':
      return [chooseModel];
    case 'model.outOfMemory':
      return [chooseModel, contextSettings];
    case 'model.quarantined':
      return [chooseModel, restart];
    case 'model.loadFailed':
      return [chooseModel, log];
    case 'download.failed': case 'download.diskFull':
      return [chooseModel, log];
    case 'sidecar.unavailable': case 'sidecar.crashed': case 'sidecar.crashLoop': case 'sidecar.hung': case 'sidecar.unauthorized':
    case 'sidecar.protocol':
      return [restart, log];
    case 'kv.formatIgnored': case 'context.overflow':
      return [contextSettings, log];
    case 'memory.indexStopped': case 'snapshot.diskFull': case 'snapshot.failed':
      return [remember, log];
    case 'snapshot.overBudget': case 'memory.off':
      return [memorySettings];
    case 'endpoint.unreachable': case 'endpoint.badResponse': case 'endpoint.httpError':
      return [endpointSettings, chooseModel];
    case 'endpoint.unauthorized':
      return [key, endpointSettings];
    case 'trace.exportFailed':
      return [exportAgain];
    case 'git.unavailable':
      return [gitSettings];
    case 'git.noRepository':
      return [sourceControl];
    case 'workspace.untrusted':
      return [trust];
    case 'internal':
      return [log];
    default:
      return [];
  }
}
