import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type McpCallResult, mcpLimits } from '../../protocol/mcpClient.js';

type Block = CallToolResult['content'][number];

/** A result as text: what can be read is, what cannot is named. The structured part stands in where there is no text. */
export function resultText({ content, structuredContent, isError }: Pick<CallToolResult, 'content' | 'structuredContent' | 'isError'>): McpCallResult {
  const blocks = content.map(blockText);
  const text = blocks.length === 0 && structuredContent !== undefined ? JSON.stringify(structuredContent, undefined, 1) : blocks.join('\n');
  return { failed: isError === true, text: text.slice(0, mcpLimits.result), truncated: text.length > mcpLimits.result };
}

function blockText(block: Block): string {
  switch (block.type) {
    case 'text': return block.text;
    case 'image':
    case 'audio': return `[${block.type}, ${block.mimeType}, ${size(block.data)}: left out]`;
    case 'resource_link': return `[resource ${block.name}: ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      return 'text' in resource ? `${resource.uri}:\n${resource.text}` : `[resource ${resource.uri}, ${resource.mimeType ?? 'binary'}, ${size(resource.blob)}: left out]`;
    }
  }
}

/** Of base64. */
const size = (data: string): string => `${Math.ceil((data.length * 3) / 4 / 1024).toLocaleString('en-US')} KB`;
