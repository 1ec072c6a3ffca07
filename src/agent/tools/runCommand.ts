import * as z from 'zod';
import type { ApprovalPort, CommandPort, WorkspacePort } from '../ports.js';
import { commandWarnings } from '../commandShape.js';
import { commandReach } from '../reach.js';
import { changedFiles, commandFiles, fewNames } from '../workspace/namedFiles.js';
import { applyOnce, type Ledger } from './ledger.js';
import { defineTool, type Tool } from './tool.js';

export interface CommandPorts { readonly workspace: WorkspacePort; readonly approvals: ApprovalPort; readonly commands: CommandPort }

const mostLength = 4_000;

/** Where a command runs, and in what, is never the model's choice. */
export function runCommand(ports: CommandPorts, ledger: Ledger): Tool {
  return defineTool({
    name: 'run_command', class: 'execute',
    description: 'Runs a shell command in the repository, for example its tests.',
    schema: z.object({ command: z.string().min(1).refine((text) => text.length <= mostLength, 'too long') }),
    reach: ({ command }) => commandReach(ports.workspace.root, ports.commands, command),
    run: ({ command }, context) => applyOnce(ledger, context, async () => {
      const warning = commandWarnings(command).join(' ');
      const files = context.reach.command?.files ?? {};
      const isolation = context.reach.command?.isolation ?? { kind: 'none', why: 'none was asked for.' };
      const approval = {
        id: context.newId(), kind: 'command', command, cwd: ports.workspace.root, ...(warning === '' ? {} : { warning }),
        ...(Object.keys(files).length === 0 ? {} : { files }),
        ...(isolation.kind === 'sandbox' ? { confinement: confinements[isolation.network ? 'network' : 'offline'] } : {}),
      } as const;
      const decision = await context.approval(approval, (asked, signal) => ports.approvals.request(asked, signal));
      if (decision === 'rejected') {
        return { outcome: 'refused', content: 'The user did not allow this command; it was not run.', summary: `${short(command)}: not allowed by the user`, truncated: false };
      }
      // The user's yes was for a command that runs these files as they were when it was shown.
      const changed = changedFiles(files, await commandFiles(ports.workspace.root, command));
      if (changed.length > 0) {
        const names = fewNames(changed);
        return { outcome: 'refused', content: `${names} changed while this command waited for its approval; it was not run. Look at the change, then ask again.`, summary: `${short(command)}: not run, ${names} changed meanwhile`, truncated: false };
      }
      const { exitCode, output, truncated, timedOut, made } = await ports.commands.run(command, isolation, context.signal);
      const end = timedOut ? 'Stopped: it took too long.' : exitCode === null ? 'Stopped by a signal.' : `Exit code ${exitCode}.`;
      const failed = timedOut || exitCode !== 0;
      const notes = [
        ...(truncated ? ['Truncated: the middle is left out. Filter the output for more.'] : []),
        ...(failed && isolation.kind === 'sandbox' ? ['It ran in a sandbox: protected files are read-only, credentials are empty' + (isolation.network ? '.' : ', and there is no network.')] : []),
        ...(made.length > 0 ? [`It made protected files: ${made.slice(0, 10).join(', ')}. Tell the user.`] : []),
      ];
      return {
        outcome: failed ? 'error' : 'ok', truncated,
        content: `${end}\n${output.trim() === '' ? 'No output.' : output.trimEnd()}${notes.map((note) => `\n[${note}]`).join('')}`,
        summary: `${short(command)}: ${end.toLowerCase().replace(/\.$/, '')}${made.length > 0 ? `; made protected files: ${made.slice(0, 10).join(', ')}` : ''}`,
      };
    }),
  });
}

const short = (command: string): string => {
  const line = command.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
};

const confinements = {
  offline: 'It runs in a sandbox: it can write in this folder only, cannot use the network, and cannot read credentials.',
  network: 'It runs in a sandbox with the network on: it can write in this folder only and cannot read credentials.',
} as const;
