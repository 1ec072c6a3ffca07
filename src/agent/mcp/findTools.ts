import * as z from 'zod';
import { makeError } from '../../base/errors.js';
import { plural } from '../gates.js';
import { defineTool, emptyResult, errorResult, type Tool } from '../tools/tool.js';
import { plainText } from './definitionText.js';
import type { McpTool } from './port.js';

export interface Findable { readonly tool: Tool; readonly mcp: McpTool }

const mostFound = 8;
const mostServers = 20;

/** Tools by the words of a question: those of a name count three times as much as those of a description. Equal ones keep their order. */
export function rank(query: string, all: readonly Findable[]): readonly Findable[] {
  const words = wordsOf(query);
  const score = ({ tool: { definition }, mcp }: Findable): number => {
    const inName = wordsOf(`${mcp.server} ${mcp.name}`);
    const inText = wordsOf(definition.description);
    return words.reduce((sum, word) => sum + 3 * Number(has(inName, word)) + Number(has(inText, word)), definition.name === query.trim() ? 100 : 0);
  };
  return all.map((one) => ({ one, points: score(one) })).filter(({ points }) => points > 0).sort((a, b) => b.points - a.points).map(({ one }) => one);
}

const wordsOf = (text: string): readonly string[] => text.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
/** `issues` finds `issue`, and the other way round. */
const has = (words: readonly string[], word: string): boolean => words.some((one) => one === word || (word.length > 3 && one.startsWith(word)) || (one.length > 3 && word.startsWith(one)));

/** Finds tools whose schemas are too many for the prompt. */
export function findTools(all: readonly Findable[]): Tool {
  const servers = [...new Set(all.map(({ mcp }) => plainText(mcp.server, 40)))].sort();
  const named = servers.slice(0, mostServers).join(', ') + (servers.length > mostServers ? ', …' : '');
  return defineTool({
    name: 'find_tools', class: 'read',
    description: `Finds more tools by what they do, with how to call them with call_tool. There are ${all.length}, of the servers: ${named}.`,
    schema: z.object({ query: z.string().min(1).max(400).describe('what the tool should do') }),
    run: ({ query }) => {
      const found = rank(query, all);
      if (found.length === 0) return Promise.resolve(emptyResult(`No tool matches. The servers are: ${named}.`));
      const shown = found.slice(0, mostFound);
      const rows = shown.map(({ tool: { definition: { name, description, parameters } } }) => `${name}: ${description}\narguments: ${JSON.stringify(parameters)}`);
      return Promise.resolve({
        outcome: 'ok' as const, content: [...rows, `[Call one with call_tool: its name, and arguments that fit.${found.length > shown.length ? ` ${found.length - shown.length} more match; ask more exactly for those.` : ''}]`].join('\n'),
        summary: plural(shown.length, 'tool'), truncated: found.length > shown.length,
      });
    },
  });
}

const calling = z.object({ name: z.string().describe('as find_tools gave it'), arguments: z.record(z.string(), z.unknown()).optional() });

/** Calls a tool that was found. The tool decides what the call reaches, is approved as and does: nothing is decided here. */
export function callTool(all: readonly Findable[]): Tool {
  const named = (args: Readonly<Record<string, unknown>>): { readonly tool: Tool; readonly inner: Record<string, unknown> } | undefined => {
    const parsed = calling.safeParse(args);
    const found = parsed.success ? all.find(({ tool }) => tool.definition.name === parsed.data.name) : undefined;
    return found && parsed.success ? { tool: found.tool, inner: parsed.data.arguments ?? {} } : undefined;
  };
  return {
    class: 'execute',
    definition: {
      name: 'call_tool', description: 'Calls a tool that find_tools found.', safety: 'asks',
      parameters: { type: 'object', properties: { name: { type: 'string', description: 'as find_tools gave it' }, arguments: { type: 'object' } }, required: ['name', 'arguments'] },
    },
    reach: async (args) => {
      const found = named(args);
      // What does not exist comes to nothing: `run` says so.
      return found ? { class: found.tool.class, ...await found.tool.reach(found.inner) } : { path: 'workspace', class: 'read' };
    },
    run: async (args, context) => {
      const found = named(args);
      return found ? found.tool.run(found.inner, context) : errorResult(makeError('tool.unknown', 'There is no such tool.', 'Look for one with find_tools, and give its name and arguments.'));
    },
  };
}
