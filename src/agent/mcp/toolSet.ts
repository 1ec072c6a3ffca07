import type { Tool } from '../tools/tool.js';
import { callTool, findTools } from './findTools.js';
import { mcpTool, type McpToolDeps } from './mcpTool.js';
import type { McpTool } from './port.js';
import { toolNames } from './toolNames.js';

/** With more tools than this in all, the schemas of those from servers are not in the prompt: they are found and then called. */
export const mostInPrompt = 25;

/** The agent's tools from MCP servers, beside `others` that it has anyway. None for none: the prompt is then what it is without servers. */
export function mcpTools(tools: readonly McpTool[], others: number, deps: McpToolDeps): readonly Tool[] {
  const names = toolNames(tools);
  const all = [...names].map(([mcp, name]) => ({ mcp, tool: mcpTool(mcp, name, deps) }));
  if (others + all.length <= mostInPrompt) return all.map(({ tool }) => tool);
  // Those that were found may also be called by their own names.
  return [findTools(all), callTool(all), ...all.map(({ tool }): Tool => ({ ...tool, found: true }))];
}
