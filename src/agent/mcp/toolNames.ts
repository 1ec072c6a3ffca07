import type { McpTool } from './port.js';

/** What endpoints and grammars take for a name. */
const longest = 64;

const plain = (text: string): string => text.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^_+|_+$/g, '') || 'x';

/** Names for the model, `mcp_<server>_<tool>`, unique and the same for the same tools in whatever order. */
export function toolNames(tools: readonly McpTool[]): ReadonlyMap<McpTool, string> {
  const used = new Set<string>();
  const names = new Map<McpTool, string>();
  const key = ({ server, name }: McpTool): string => `${server}\n${name}`;
  for (const tool of [...tools].sort((a, b) => (key(a) < key(b) ? -1 : 1))) {
    const base = `mcp_${plain(tool.server)}_${plain(tool.name)}`.slice(0, longest);
    let name = base;
    for (let n = 2; used.has(name); n++) name = `${base.slice(0, longest - 1 - String(n).length)}_${n}`;
    used.add(name);
    names.set(tool, name);
  }
  return names;
}
