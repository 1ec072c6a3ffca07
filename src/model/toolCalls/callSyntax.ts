import type { ToolCall, ToolDefinition } from '../../protocol/chat.js';
import type { ChatFormat } from '../formats/chatFormat.js';
import { gemma4Calls } from './gemma4Calls.js';
import { toolLineCalls } from './toolLineCalls.js';

export type NamedCall = Pick<ToolCall, 'name' | 'arguments'>;

/** What a written call turned out to be. */
export type ReadCalls =
  | { readonly ok: true; readonly calls: readonly NamedCall[] }
  | { readonly ok: false; readonly raw: string; readonly problem: string };

/** How calls are decided on, constrained and read in one way of writing them. */
export interface CallSyntax {
  /**
   * `probe`: the first token of the reply decides, read as a probability before anything is generated. `free`: the model
   * decides by writing `marker` or not.
   */
  readonly decision: 'probe' | 'free';
  /** Control text that goes before an answer. */
  readonly answerOpening: string;
  /** Control text that opens a call within a reply; the model may write it after some text. */
  readonly marker: string;
  /** GBNF for what follows the marker. */
  grammar(tools: readonly ToolDefinition[]): string;
  /** Reads what was written after the marker. */
  read(written: string, tools: readonly ToolDefinition[]): ReadCalls;
}

export const callSyntaxOf = (format: Pick<ChatFormat, 'calls'>): CallSyntax => ({ toolLine: toolLineCalls, gemma4: gemma4Calls })[format.calls];
