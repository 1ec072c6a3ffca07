import type { ChatFamily, ChatFormat } from './chatFormat.js';
import { renderTurns, type TurnStyle } from './turns.js';

const format = (family: ChatFamily, stop: readonly string[], style: TurnStyle): ChatFormat => ({
  family, stop, calls: 'toolLine',
  render: (messages, tools) => renderTurns(style, messages, tools),
});

/** Qwen 2.5 and 3, SmolLM2, Yi, Hermes and most unnamed fine-tunes. */
export const chatml = format('chatml', ['<|im_end|>', '<|im_start|>'], {
  open: (role) => `<|im_start|>${role}\n`,
  close: () => '<|im_end|>\n',
  system: 'turn', trim: false,
});

/** Gemma 2 and 3: no system role, so its text opens the first user turn, as in the family's template. */
export const gemma3 = format('gemma3', ['<end_of_turn>'], {
  open: (role) => `<start_of_turn>${role === 'assistant' ? 'model' : role}\n`,
  close: () => '<end_of_turn>\n',
  system: 'firstUser', trim: true,
});

/** Llama 3.x, without the dates that its template puts into the system turn: a prompt must be the same tomorrow. */
export const llama3 = format('llama3', ['<|eot_id|>', '<|eom_id|>'], {
  open: (role) => `<|start_header_id|>${role}<|end_header_id|>\n\n`,
  close: () => '<|eot_id|>',
  system: 'turn', trim: true,
});

/** Mistral instruct models. Their template moves the system prompt to the last user turn, which is not append-only; here it opens the first. */
export const mistral = format('mistral', ['</s>', '[INST]'], {
  open: (role) => (role === 'assistant' ? '' : '[INST]'),
  close: (role) => (role === 'assistant' ? '</s>' : '[/INST]'),
  system: 'firstUser', trim: false,
});

/** Models that were never taught to chat: a written dialogue, ended where the model starts to speak for the user. */
export const plain = format('plain', ['\nUser:', '\nSystem:'], {
  open: (role) => ({ system: 'System:\n', user: 'User:\n', assistant: 'Assistant:\n' })[role],
  close: () => '\n\n',
  system: 'turn', trim: true,
});
