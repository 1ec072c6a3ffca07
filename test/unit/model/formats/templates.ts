import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import type { ChatMessage, ToolDefinition } from '../../../../src/protocol/chat.js';

const bundle = join(import.meta.dirname, '../../../../../node_modules/node-llama-cpp/llama/gitRelease.bundle');

/** The templates of model families that llama.cpp tests itself with, out of the source that comes with the engine. */
export function bundledTemplates<N extends string>(names: readonly N[]): Record<N, Template> {
  const repository = mkdtempSync(join(tmpdir(), 'loupe-templates-'));
  const git = (...args: string[]): string => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', maxBuffer: 1 << 24 });
  try {
    git('init', '--quiet', '--bare');
    git('fetch', '--quiet', bundle, 'HEAD');
    return Object.fromEntries(names.map((name) => [name, new Template(git('show', `FETCH_HEAD:models/templates/${name}.jinja`))])) as Record<N, Template>;
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

/** A prompt as the template writes it, without the begin-of-text token, which is the sidecar's to add. */
export function renderTemplate(template: Template, messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): string {
  return template.render({
    messages: messages.map(openAiMessage),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: { ...tool } })) }),
    add_generation_prompt: true, bos_token: '', eos_token: '</s>',
  });
}

function openAiMessage(message: ChatMessage): Record<string, unknown> {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, name: message.name, content: message.content };
  if (message.role !== 'assistant' || message.toolCalls === undefined) return { ...message };
  return { role: 'assistant', content: message.content, tool_calls: message.toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })) };
}
