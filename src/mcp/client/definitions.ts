import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { createHash } from 'node:crypto';
import { failure } from '../../base/errors.js';
import { type McpToolDefinition, mcpLimits } from '../../protocol/mcpClient.js';

/** What is kept of one tool. The hash is over what the server sent, before anything is cut: all that a model reads of a tool, and nothing that only describes it to programs. */
export function keptDefinition({ name, description = '', inputSchema }: Pick<Tool, 'name' | 'description' | 'inputSchema'>): McpToolDefinition {
  const schema = JSON.stringify(inputSchema);
  return {
    name, description: description.length > mcpLimits.description ? `${description.slice(0, mcpLimits.description)}…` : description,
    inputSchema: schema.length > mcpLimits.schema ? { type: 'object' } : inputSchema,
    hash: createHash('sha256').update(JSON.stringify([name, description, sorted(inputSchema)])).digest('hex'),
  };
}

/** Collects the pages of a list; throws `mcp.tooMuch` for one that would be too long to keep. */
export class Definitions {
  private readonly byName = new Map<string, McpToolDefinition>();
  private characters = 0;

  add(tools: readonly Tool[]): void {
    for (const tool of tools) {
      const kept = keptDefinition(tool);
      this.characters += kept.name.length + kept.description.length + JSON.stringify(kept.inputSchema).length;
      this.byName.set(kept.name, kept); // a name twice is one tool: calls cannot tell them apart
      if (this.byName.size > mcpLimits.tools || this.characters > mcpLimits.definitions) {
        throw failure('mcp.tooMuch', 'The server has more tools, or longer descriptions, than can be used.', 'Configure it to offer fewer.');
      }
    }
  }

  /** Sorted: a server may list them in any order, and prompts are to stay the same. */
  get all(): readonly McpToolDefinition[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
