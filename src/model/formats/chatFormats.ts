import type { LoadedModel } from '../../protocol/sidecar.js';
import type { ChatFamily, ChatFormat } from './chatFormat.js';
import { chatFamilyOf } from './family.js';
import { gemma4 } from './gemma4.js';
import { chatml, gemma3, llama3, mistral, plain } from './turnFamilies.js';

export const chatFormats: Readonly<Record<ChatFamily, ChatFormat>> = { chatml, gemma3, gemma4, llama3, mistral, plain };

export const chatFormatFor = (model: Pick<LoadedModel, 'architecture' | 'chatTemplate'>): ChatFormat => chatFormats[chatFamilyOf(model)];
