import * as z from 'zod';
import type { ApprovalPort, CommandPort, WorkspacePort } from '../ports.js';
import { revealHidden } from '../hiddenText.js';
import { applyOnce, type Ledger } from './ledger.js';
import { defineTool, type Tool } from './tool.js';

export interface CommandPorts { readonly workspace: WorkspacePort; readonly approvals: ApprovalPort; readonly commands: CommandPort }

const mostLength = 4_000;

/** Every command asks; where it runs is never the model's choice. */
export function runCommand(ports: CommandPorts, ledger: Ledger): Tool {
  return defineTool({
    name: 'run_command', class: 'execute',
    description: 'Runs a shell command in the repository, for example its tests.',
    schema: z.object({ command: z.string().min(1).refine((text) => text.length <= mostLength, 'too long') }),
    run: ({ command }, context) => applyOnce(ledger, context, async () => {
      const warning = warningFor(command);
      const approval = { id: context.newId(), kind: 'command', command, cwd: ports.workspace.root, ...(warning ? { warning } : {}) } as const;
      const decision = await context.approval(approval, (asked, signal) => ports.approvals.request(asked, signal));
      if (decision === 'rejected') {
        return { outcome: 'refused', content: 'The user did not allow this command; it was not run.', summary: `${short(command)}: not allowed by the user`, truncated: false };
      }
      const { exitCode, output, truncated, timedOut } = await ports.commands.run(command, context.signal);
      const end = timedOut ? 'Stopped: it took too long.' : exitCode === null ? 'Stopped by a signal.' : `Exit code ${exitCode}.`;
      const failed = timedOut || exitCode !== 0;
      return {
        outcome: failed ? 'error' : 'ok', truncated,
        content: `${end}\n${output.trim() === '' ? 'No output.' : output.trimEnd()}${truncated ? '\n[Truncated: the middle is left out. Filter the output for more.]' : ''}`,
        summary: `${short(command)}: ${end.toLowerCase().replace(/\.$/, '')}`,
      };
    }),
  });
}

const short = (command: string): string => {
  const line = command.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
};

/** A command can push its second half out of sight or hold what cannot be seen at all. */
function warningFor(command: string): string | undefined {
  const reasons = [
    /[ \t]{20,}/.test(command) ? 'The command has a long run of blanks with more behind it.' : undefined,
    /[\r\n]/.test(command.trim()) ? 'The command has several lines.' : undefined,
    revealHidden(command).count > 0 ? `The command holds hidden characters: ${revealHidden(command).text}` : undefined,
  ].filter((reason) => reason !== undefined);
  return reasons.length > 0 ? reasons.join(' ') : undefined;
}
