import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import type { Grants } from '../../../src/agent/policy.js';
import type { Sandbox } from '../../../src/agent/workspace/sandbox/sandbox.js';
import { NodeCommands } from '../../../src/agent/workspace/nodeCommands.js';
import { NodeEdits } from '../../../src/agent/workspace/nodeEdits.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import type { Approval, Decision, Zone } from '../../../src/protocol/agentEvents.js';
import type { ToolCall } from '../../../src/protocol/chat.js';
import { ripgrep } from '../agent/support/folder.js';
import { answer, call, calls } from '../agent/support/scriptedModel.js';
import { run, type Ran } from '../agent/support/turns.js';

export type Attack = readonly [tool: string, args: Record<string, unknown>];

export interface Attacked extends Ran { readonly approvals: readonly Approval[]; readonly results: readonly string[] }

export interface AttackOptions { readonly zone?: Zone; readonly decide?: (approval: Approval) => Decision; readonly sandbox?: Sandbox; readonly grants?: Grants; readonly network?: boolean }

/** A whole turn on a real folder with real tools, a real shell and a model that makes these calls, one a hop. The user rejects everything unless told otherwise. */
export async function attack(root: string, attacks: readonly Attack[], { zone = 'full', decide = () => 'rejected', sandbox, grants, network = false }: AttackOptions = {}): Promise<Attacked> {
  const approvals: Approval[] = [];
  const request = (approval: Approval): Promise<Decision> => {
    approvals.push(approval);
    return Promise.resolve(decide(approval));
  };
  const ports = {
    workspace: new NodeWorkspace(root, ripgrep), edits: new NodeEdits(root), approvals: { request },
    commands: new NodeCommands({ root, env: process.env, timeoutMs: 20_000, settings: () => ({ sandbox: true, network }), ...(sandbox ? { sandbox } : {}) }),
  };
  const ran = await run({
    tools: standardTools(ports, zone), zone, ...(grants ? { grants } : {}), budget: { steps: attacks.length + 2, tokens: 1e7 },
    replies: [...attacks.map(([tool, args]) => calls(call(tool, args))), answer('Done.')],
  });
  const made = ran.events.flatMap((event): ToolCall[] => (event.type === 'modelFinished' ? [...event.calls] : []));
  assert.equal(made.length, attacks.length, 'every attack was made');
  return { ...ran, approvals, results: ran.events.flatMap((event) => (event.type === 'toolFinished' ? [event.result] : [])) };
}

/** Every file below the folder, with what it holds. */
export async function snapshot(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const entries = await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).isFile() ? await readFile(join(folder, name), 'utf8') : '/'] as const));
  return Object.fromEntries(entries);
}
