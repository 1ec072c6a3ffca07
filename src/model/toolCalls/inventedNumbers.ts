import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';
import type { NamedCall } from './callSyntax.js';
import { namesPart } from './schemaPart.js';

const words: Readonly<Record<string, number>> = {
  two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, eleven: 11, twelve: 12, fifteen: 15, twenty: 20, thirty: 30,
  half: 0.5, twice: 2, double: 2, second: 2, third: 3, dozen: 12, hundred: 100, thousand: 1000, million: 1e6, week: 7,
};
/** A number may be meant in another unit: percent, thousands, millions. */
const scales = [1, 1 / 100, 100, 1 / 1000, 1000, 1e6];

/**
 * Whether a required argument of a call holds a number that nobody gave: small models fill in the arguments of a tool that does not
 * fit. Numbers count as given in digits or words, in another scale, and where they are 0 or 1.
 */
export function inventsNumbers(call: NamedCall, tools: readonly ToolDefinition[], messages: readonly ChatMessage[]): boolean {
  const tool = tools.find(({ name }) => name === call.name);
  const required = namesPart(tool?.parameters['required']);
  const given = numbersIn(messages.map(({ content }) => content).join('\n'));
  return required.some((name) => numbersOf(call.arguments[name]).some((number) => !isGiven(Math.abs(number), given)));
}

const isGiven = (number: number, given: readonly number[]): boolean =>
  number <= 1 && Number.isInteger(number) || given.some((one) => scales.some((scale) => Math.abs(one * scale - number) <= 1e-9 * number));

function numbersIn(text: string): number[] {
  const written = text.match(/\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?/gi) ?? [];
  const digits = written.flatMap((number) => [number.replaceAll(',', ''), ...number.split(',')]).filter((number) => number !== '').map(Number);
  const spelt = (text.toLowerCase().match(/[a-z]+/g) ?? []).flatMap((word) => (Object.hasOwn(words, word) ? [words[word] ?? 0] : []));
  return [...digits, ...spelt];
}

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersOf);
}
