import { revealHidden } from '../../../base/hiddenText.js';
import type { McpToolDefinition } from '../../../protocol/mcpClient.js';

/** A difference between what the user accepted and what a server says now. Neither part: nothing is different. */
export interface DefinitionChange { readonly name: string; readonly before?: McpToolDefinition; readonly after?: McpToolDefinition }

/** Sorted by name. A tool that is gone is no change to accept: it cannot be called. */
export function definitionChanges(accepted: readonly McpToolDefinition[], live: readonly McpToolDefinition[]): readonly DefinitionChange[] {
  const known = new Map(accepted.map((tool) => [tool.name, tool]));
  return live.flatMap((after): DefinitionChange[] => {
    const before = known.get(after.name);
    if (before?.hash === after.hash) return [];
    return [{ name: after.name, ...(before ? { before } : {}), after }];
  }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Old and new of each, as a Markdown document to read before a yes. Whatever a server wrote stands in blocks of code: nothing of it is rendered, and nothing hides. */
export function changesText(server: string, changes: readonly DefinitionChange[]): string {
  const definition = ({ name, description, inputSchema }: McpToolDefinition): string => revealHidden(JSON.stringify({ name, description, inputSchema }, undefined, 2)).text;
  const parts = changes.map(({ before, after }, index) => [
    `## ${index + 1}. ${before ? 'A changed tool' : 'A new tool'}`,
    ...(before ? ['', 'What you accepted:', '', fence(definition(before))] : []),
    ...(after ? ['', 'What the server says now:', '', fence(definition(after))] : []),
    ...(before && after && definition(before) === definition(after) ? ['', 'The difference lies in a part that is too long to be kept.'] : []),
  ].join('\n'));
  return ['# Changed tools of an MCP server', '', fence(server), '', 'These tools are not offered to the model until you accept them.', '', ...parts, ''].join('\n');
}

/** No run of backticks inside ends it. */
export function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}\n${text}\n${marks}`;
}
