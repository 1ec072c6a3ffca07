import type { LoadedModel } from '../../protocol/sidecar.js';
import type { ChatFamily } from './chatFormat.js';

/** Markers that a family's own template writes, the most telling first. The template is only searched, never run. */
const markers: readonly (readonly [string, ChatFamily])[] = [
  ['<|turn>', 'gemma4'],
  ['<start_of_turn>', 'gemma3'],
  ['<|im_start|>', 'chatml'],
  ['<|start_header_id|>', 'llama3'],
  ['[INST]', 'mistral'],
];

/** A file without a template: only where the architecture has one format in all its instruction-tuned models. */
const architectures: Readonly<Record<string, ChatFamily>> = { gemma4: 'gemma4', qwen2: 'chatml', qwen2moe: 'chatml', qwen3: 'chatml', qwen3moe: 'chatml' };

/** The family of a loaded model. A model that says nothing of chat (a base model) gets `plain`. */
export function chatFamilyOf(model: Pick<LoadedModel, 'architecture' | 'chatTemplate'>): ChatFamily {
  const { chatTemplate } = model;
  if (chatTemplate === undefined) return architectures[model.architecture] ?? 'plain';
  return markers.find(([marker]) => chatTemplate.includes(marker))?.[1] ?? 'plain';
}
