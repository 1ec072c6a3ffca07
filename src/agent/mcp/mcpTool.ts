import { revealHidden } from '../../base/hiddenText.js';
import { LoupeFailure } from '../../base/errors.js';
import type { Approval } from '../../protocol/agentEvents.js';
import type { ApprovalPort } from '../ports.js';
import { applyOnce, type Ledger } from '../tools/ledger.js';
import { errorResult, type Tool, type ToolContext, type ToolResult } from '../tools/tool.js';
import { plainText, promptSchema } from './definitionText.js';
import type { McpPort, McpTool } from './port.js';

export interface McpToolDeps { readonly port: McpPort; readonly approvals: ApprovalPort; readonly ledger: Ledger }

/** One tool of a server. What its server says about itself, hints included, decides nothing: every call goes through the policy as what it may be. */
export function mcpTool(tool: McpTool, name: string, deps: McpToolDeps): Tool {
  return {
    definition: { name, description: plainText(tool.description) || `The tool ${plainText(tool.name, 100)} of the server ${plainText(tool.server, 100)}.`, parameters: promptSchema(tool.inputSchema), safety: 'asks' },
    class: tool.kind === 'http' ? 'network' : 'execute',
    reach: () => Promise.resolve({ path: 'server', why: reachOf(tool), tool: tool.identity }),
    run: (args, context) => applyOnce(deps.ledger, context, () => callTool(tool, withoutIdleNulls(tool, args), context, deps)),
  };
}

const reachOf = ({ server, kind }: McpTool): string => (kind === 'http'
  ? `The arguments are sent to the MCP server ${plainText(server, 100)}.`
  : `The MCP server ${plainText(server, 100)} is a program outside of the sandbox.`);

async function callTool(tool: McpTool, args: Readonly<Record<string, unknown>>, context: ToolContext, { port, approvals }: McpToolDeps): Promise<ToolResult> {
  const label = `${plainText(tool.server, 100)}: ${plainText(tool.name, 100)}`;
  const decision = await context.approval(approvalOf(tool, args, context.newId()), (asked, signal) => approvals.request(asked, signal));
  if (decision === 'rejected') {
    return { outcome: 'refused', content: 'The user did not allow this call; it was not made.', summary: `${label}: not allowed by the user`, truncated: false };
  }
  try {
    const starting = port.starting(tool, context.signal);
    if (starting) await context.coldStart(tool.server, starting);
    const { failed, text, truncated } = await port.call(tool, args, context.signal);
    const note = truncated ? '\n[Truncated: the rest of the result is left out. Ask the tool for less.]' : '';
    return { outcome: failed ? 'error' : text.trim() === '' ? 'empty' : 'ok', content: `${text}${note}`, summary: `${label}${failed ? ': the tool failed' : ''}`, truncated };
  } catch (thrown) {
    context.signal.throwIfAborted();
    if (thrown instanceof LoupeFailure) return errorResult(thrown.error);
    throw thrown;
  }
}

function approvalOf(tool: McpTool, args: Readonly<Record<string, unknown>>, id: string): Approval {
  const text = JSON.stringify(args, undefined, 2);
  const warning = revealHidden(text).count > 0 ? 'The arguments hold hidden characters.' : '';
  return { id, kind: 'tool', server: tool.server, tool: tool.name, identity: tool.identity, arguments: text, ...(warning === '' ? {} : { warning }) };
}

/** Models write `null` for an argument that they leave out; servers refuse it. */
function withoutIdleNulls({ inputSchema }: McpTool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { required } = inputSchema;
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.fromEntries(Object.entries(args).filter(([key, value]) => value !== null || needed.has(key)));
}
