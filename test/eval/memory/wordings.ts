import type { ChatModel } from '../../../src/model/chatModel.js';
import type { ChatMessage } from '../../../src/protocol/chat.js';
import type { TurnMemory } from '../../../src/agent/turn.js';

type SystemMessage = Extract<ChatMessage, { role: 'system' }>;
type Lines = (lines: readonly string[], mode: TurnMemory['mode']) => readonly string[];

/** The line about what is remembered stands before the last one, and the first rule of looking after the first. */
const replaceLine = (text: Readonly<Record<TurnMemory['mode'], string>>): Lines => (lines, mode) => lines.with(-2, text[mode]);

/** Ways to tell the model of what stands behind the system prompt. `asIs`: what the product says. */
export const wordings = {
  asIs: (lines) => lines,
  /** Says where to look first, and forbids to look again. */
  here: replaceLine({
    whole: 'All files of the repository stand at the end of this message. The answer is in them: find it there, do not list, search or read these files with tools.',
    map: 'Central files of the repository and a list of the symbols of its other files stand at the end of this message. Look there first: what stands there needs no tool.',
  }),
  /** Takes back the rule to look with the tools before answering, which contradicts it. */
  instead: (lines, mode) => replaceLine({
    whole: 'The files of the repository stand at the end of this message. Answer from them, and name the files with their paths.',
    map: 'Central files of the repository and a list of the symbols of its other files stand at the end of this message. Answer from them where they suffice, and name the files with their paths.',
  })(lines.filter((line) => !line.startsWith('Look with the tools before')), mode),
} as const satisfies Readonly<Record<string, Lines>>;
export type Wording = keyof typeof wordings;

/** `asIs`: as the loop decides. `never`: it is told that a look does not help. `forbidden`: tools are shown, but only answers are allowed. */
export type Looking = 'asIs' | 'never' | 'forbidden';

export const reword = (system: SystemMessage, wording: Wording, mode: TurnMemory['mode']): SystemMessage =>
  ({ ...system, content: wordings[wording](system.content.split('\n'), mode).join('\n') });

/** The model, with another wording of the memory in its system prompt, or another eagerness to look. */
export function varied(model: ChatModel, wording: Wording, looking: Looking, mode: TurnMemory['mode'] | undefined): ChatModel {
  const reworded = <T extends { readonly messages: readonly ChatMessage[] }>(request: T): T =>
    (mode === undefined ? request : { ...request, messages: request.messages.map((message) => (message.role === 'system' ? reword(message, wording, mode) : message)) });
  return {
    info: model.info,
    chat: (request, signal) => model.chat({ ...reworded(request), ...(looking === 'never' ? { eager: false } : {}), ...(looking === 'forbidden' ? { toolChoice: 'none' as const } : {}) }, signal),
    countPromptTokens: (request, signal) => model.countPromptTokens(reworded(request), signal),
  };
}
