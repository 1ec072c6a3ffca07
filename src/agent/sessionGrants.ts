import type { Approval, Remember, ToolClass } from '../protocol/agentEvents.js';
import type { Grants } from './policy.js';
import type { EditPort } from './ports.js';
import { hashText } from './workspace/nodeEdits.js';
import { changedFiles, type FileHashes } from './workspace/namedFiles.js';

/**
 * One thing that the user allowed. `command`: only this one, while the files of the workspace that it names stay as they were (`files`).
 * `tool`: only this tool of an MCP server, as it is now.
 */
export interface Grant { readonly folder: string; readonly class: ToolClass; readonly command?: string; readonly files?: FileHashes; readonly tool?: { readonly identity: string; readonly label: string } }

/**
 * What the user allowed for this session, by folder. In memory only: it ends with the window, and no file can bring one along. Nothing is
 * remembered but what the approval itself offered.
 */
export class SessionGrants {
  private grants: readonly Grant[] = [];

  get all(): readonly Grant[] {
    return this.grants;
  }

  /** Remembers a yes. False when the approval did not offer that. */
  remember(folder: string, approval: Approval, scope: Remember): boolean {
    if (approval.remember?.includes(scope) !== true) return false;
    const grant: Grant = approval.kind === 'edit' ? { folder, class: 'write' }
      : approval.kind === 'tool' ? { folder, class: 'network', tool: { identity: approval.identity, label: `${approval.server}: ${approval.tool}` } }
      : { folder, class: 'execute', ...(scope === 'exact' ? { command: approval.command, files: approval.files ?? {} } : {}) };
    this.revoke(grant);
    this.grants = [...this.grants, grant];
    return true;
  }

  revoke(grant: Grant): void {
    this.grants = this.grants.filter((held) => !(held.folder === grant.folder && held.class === grant.class && held.command === grant.command && held.tool?.identity === grant.tool?.identity));
  }

  /** `edits`, for edits that the user accepts: a command that was allowed for a file as it was before one is allowed for what the user let it become. */
  following(folder: string, edits: EditPort): EditPort {
    return {
      apply: async (edit, signal) => {
        await edits.apply(edit, signal);
        const after = hashText(edit.after);
        this.grants = this.grants.map((grant) => (grant.folder === folder && grant.files?.[edit.path] === edit.beforeHash ? { ...grant, files: { ...grant.files, [edit.path]: after } } : grant));
      },
    };
  }

  of(folder: string): Grants {
    return {
      allows: (toolClass) => this.grants.some((grant) => grant.folder === folder && grant.class === toolClass && grant.command === undefined && grant.tool === undefined),
      changedSince: (command, files) => {
        const grant = this.grants.find((held) => held.folder === folder && held.command === command);
        return grant && changedFiles(grant.files ?? {}, files);
      },
      allowsTool: (identity) => (this.grants.some((grant) => grant.folder === folder && grant.tool?.identity === identity) ? 'session' : undefined),
    };
  }
}
