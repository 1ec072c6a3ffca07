import type { ToolCall, ToolDefinition } from '../../protocol/chat.js';
import { spacedJson } from './spacedJson.js';

/**
 * The tool protocol of families without call tokens of their own, and of families whose small models do not use theirs: every
 * reply starts with a line that names a tool or says `none`. The first token after `Tool:` is the whole decision between call and
 * answer, so its probability can be read before anything is generated, and an answer streams as plain Markdown.
 * Measured in docs/eval/tool-calls.md.
 */
export const toolLineOpening = 'Tool:';
export const noTool = ' none';
export const answerOpening = `${toolLineOpening}${noTool}\n`;

/** What follows {@link toolLineOpening} when the tool is called. */
export const toolLineCall = (call: Pick<ToolCall, 'name' | 'arguments'>): string => ` ${call.name}\n${spacedJson(call.arguments)}`;

/**
 * The part of the system prompt that explains the protocol and lists the tools. Depends on nothing but the tools: where a call in
 * vain does no harm, it shows how to look step by step; otherwise, when to leave the tools alone.
 */
export function toolLineInstructions(tools: readonly ToolDefinition[]): string {
  const instructions = tools.every(({ safety }) => safety !== undefined) ? exploring : careful;
  return `${instructions}\n<tools>\n${tools.map(signature).join('\n')}\n</tools>`;
}

const signature = ({ name, description, parameters }: ToolDefinition): string => JSON.stringify({ name, description, parameters });

const exploring = `# Tools
Every reply starts with a line that names the tool to use: "Tool: NAME" when one of the tools below does exactly what is needed next, "Tool: none" when none of them does, or when the results are enough to answer.
After "Tool: NAME" comes a JSON object with the arguments. After "Tool: none" comes the answer in plain text.

Examples with the tools find_recipe(dish) and read_recipe(file):
User: Which file has the bean soup, and how long does it cook?
Tool: find_recipe
{"dish": "soup of beans"}
Result: nothing found
Tool: find_recipe
{"dish": "bean"}
Result: soups/beans.md:3: Bean soup
Tool: read_recipe
{"file": "soups/beans.md"}
Result: 3: Bean soup
4: Cook for 40 minutes.
Tool: none
The bean soup is in soups/beans.md. It cooks for 40 minutes.
User: What is a roux?
Tool: none
Flour cooked in fat, to thicken a sauce.
User: Thanks!
Tool: none
You are welcome.

The tools:`;

const careful = `# Tools
Every reply starts with a line that names the tool to use: "Tool: NAME" when one of the tools below does exactly what is asked, "Tool: none" when none of them does.
After "Tool: NAME" comes a JSON object with the arguments. After "Tool: none" comes the answer in plain text.

Examples with a tool get_weather(city):
User: How warm is it in Oslo now?
Tool: get_weather
{"city": "Oslo"}
User: How many people live in Oslo?
Tool: none
About 700,000 people live in Oslo.
User: Thanks!
Tool: none
You are welcome.

The tools:`;
