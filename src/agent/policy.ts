import type { PolicyVerdict, Remember, ToolClass, Zone } from '../protocol/agentEvents.js';
import type { CommandShape } from './commandShape.js';
import type { Isolation } from './ports.js';
import { type FileHashes, fewNames } from './workspace/namedFiles.js';

/**
 * Where the effect of a call can reach. A path: inside the workspace folder, one of its protected files, one that holds credentials, or
 * outside. A command has the reach of what confines it: `workspace` in the sandbox, `outside` without one. `server`: whatever an MCP server
 * that the user let in can reach.
 */
export const pathClasses = ['workspace', 'protected', 'secret', 'outside', 'server'] as const;
export type PathClass = (typeof pathClasses)[number];

/** What a call is about to reach, as its tool found it. `command`: of calls that run one, for approvals of exactly this command; `files`: those of the workspace that it names. */
export interface Reach {
  readonly path: PathClass;
  /** Where the call does more than its tool says: a command with the network on. */
  readonly class?: ToolClass;
  /** Why the path has its class, or why there is no sandbox: a sentence for the user. */
  readonly why?: string;
  readonly command?: { readonly text: string; readonly shape: CommandShape; readonly isolation: Isolation; readonly files: FileHashes };
  /** Of tools of a server: what an approval of exactly this tool, as it is now, is bound to. */
  readonly tool?: string;
}

export type PolicyRequest = Omit<Reach, 'class'> & { readonly zone: Zone; readonly class: ToolClass };

/** What the user allowed for the rest of this session. */
export interface Grants {
  /** Every call of this class inside of the workspace folder. */
  allows(toolClass: ToolClass): boolean;
  /** Undefined: this command, to the letter, was not allowed. Otherwise the files that it names and that are no longer as they were then: empty where nothing changed. */
  changedSince(command: string, files: FileHashes): readonly string[] | undefined;
  /** This tool of a server, as it was when they did; `always`: in their settings. */
  allowsTool(identity: string): 'session' | 'always' | undefined;
}

export const noGrants: Grants = { allows: () => false, changedSince: () => undefined, allowsTool: () => undefined };

export interface PolicyDecision {
  readonly verdict: PolicyVerdict;
  /** One sentence; recorded in the trace. */
  readonly reason: string;
  /** What the user may have remembered along with a yes. Empty where each call is to be asked for. */
  readonly remember: readonly Remember[];
  /** What an approval must not let the user overlook. */
  readonly warning?: string;
}

/** `ask`: unless the user allowed it for this session. `askEach`: always. */
type Rule = 'allow' | 'ask' | 'askEach' | 'deny';
type Row = Readonly<Record<PathClass, Rule>>;

const denied: Row = { workspace: 'deny', protected: 'deny', secret: 'deny', outside: 'deny', server: 'deny' };
const reading: Row = { workspace: 'allow', protected: 'allow', secret: 'deny', outside: 'deny', server: 'deny' };

/**
 * The whole policy. `full`: a turn that the user follows. `verify` (verify-then-trust): agents that work for another agent; what the user
 * allowed for a session was not said to them. `zero`: nobody is there to ask, or the folder is not trusted.
 */
export const policyTable: Readonly<Record<Zone, Readonly<Record<ToolClass, Row>>>> = {
  full: {
    read: reading,
    write: { workspace: 'ask', protected: 'askEach', secret: 'askEach', outside: 'deny', server: 'deny' },
    execute: { workspace: 'ask', protected: 'askEach', secret: 'deny', outside: 'askEach', server: 'ask' },
    network: { workspace: 'askEach', protected: 'askEach', secret: 'deny', outside: 'askEach', server: 'ask' },
  },
  verify: {
    read: reading,
    write: { workspace: 'askEach', protected: 'askEach', secret: 'deny', outside: 'deny', server: 'deny' },
    execute: { workspace: 'askEach', protected: 'deny', secret: 'deny', outside: 'deny', server: 'deny' },
    network: denied,
  },
  zero: { read: reading, write: denied, execute: denied, network: denied },
};

/** Decides about one call of a tool. Pure, and the only place that decides: a prompt, a tool or a file of the workspace grants nothing. */
export function decide(request: PolicyRequest, grants: Grants): PolicyDecision {
  const rule = policyTable[request.zone][request.class][request.path];
  if (rule === 'deny') return { verdict: 'deny', reason: denial(request), remember: [] };
  if (rule === 'allow') return { verdict: 'allow', reason: 'Reading in the workspace folder is allowed.', remember: [] };
  const remember = rule === 'ask' ? rememberable(request) : [];
  const changed = remember.includes('exact') && request.command ? grants.changedSince(request.command.text, request.command.files) : undefined;
  if (changed?.length === 0) {
    return { verdict: 'allow', reason: 'You allowed exactly this command for this session; it runs in the sandbox.', remember: [] };
  }
  const tool = remember.includes('exact') && request.tool !== undefined ? grants.allowsTool(request.tool) : undefined;
  if (tool !== undefined) return { verdict: 'allow', reason: toolReasons[tool], remember: [] };
  if (remember.includes('session') && grants.allows(request.class)) {
    return { verdict: 'allow', reason: sessionReasons[request.class], remember: [] };
  }
  const warning = changed !== undefined ? changedWarning(changed) : request.path === 'workspace' ? undefined : request.why;
  const reason = changed !== undefined ? `Running a command needs your approval again: ${changedWarning(changed)}` : askReason(request, rule);
  return { verdict: 'ask', reason, remember, ...(warning === undefined ? {} : { warning }) };
}

/** Whether any call of this class can come to anything in the zone. Tools for which none can are not offered to the model. */
export function everAllowed(zone: Zone, toolClass: ToolClass): boolean {
  return Object.values(policyTable[zone][toolClass]).some((rule) => rule !== 'deny');
}

function rememberable({ command, class: toolClass, path, tool }: PolicyRequest): readonly Remember[] {
  if (path === 'server') return tool === undefined ? [] : ['exact'];
  if (toolClass !== 'execute') return ['session'];
  if (!command || command.shape === 'hidden') return [];
  return command.shape === 'plain' ? ['exact', 'session'] : ['exact'];
}

const toolReasons = { session: 'You allowed exactly this tool for this session.', always: 'Your settings allow exactly this tool.' } as const;

const sessionReasons: Readonly<Record<ToolClass, string>> = {
  read: 'You allowed reading for this session.', write: 'You allowed edits in this folder for this session.',
  execute: 'You allowed plain commands for this session; it runs in the sandbox.', network: 'You allowed connections for this session.',
};

/** Of a command that was allowed to the letter. */
const changedWarning = (files: readonly string[]): string => `${fewNames(files)} changed since you allowed this command.`;

const verbs: Readonly<Record<ToolClass, string>> = { read: 'Reading', write: 'Changing a file', execute: 'Running a command', network: 'Using the network' };

function denial({ zone, class: toolClass, path, why }: PolicyRequest): string {
  if (!everAllowed(zone, toolClass)) return `${verbs[toolClass]} is not allowed here: ${zone === 'zero' ? 'nothing may be changed or run' : 'this agent works for another one'}.`;
  if (why !== undefined) return path === 'secret' && toolClass === 'read' ? `${why} It is not read.` : why;
  if (path === 'server') return `${verbs[toolClass]} through an MCP server is not allowed here.`;
  if (path === 'outside') return `${verbs[toolClass]} outside of the workspace folder is not allowed.`;
  return `${verbs[toolClass]} ${path === 'secret' ? 'where credentials are' : 'of a protected file'} is not allowed.`;
}

function askReason({ zone, class: toolClass, path, why, command, tool }: PolicyRequest, rule: Rule): string {
  const always = rule === 'ask' ? '' : ' each time';
  const because = path !== 'workspace' && why !== undefined ? `: ${why}`
    : command?.shape === 'hidden' ? ': not all of this command can be seen.'
    : command?.shape === 'shell' ? ': this command is more than plain words.'
    : zone === 'verify' ? ': an agent that works for another one has no approval for a session.' : '.';
  return `${tool === undefined ? verbs[toolClass] : 'Calling this tool of an MCP server'} needs your approval${always}${because}`;
}
