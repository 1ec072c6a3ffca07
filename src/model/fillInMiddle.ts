import type { LoadedModel, PromptSegment } from '../protocol/sidecar.js';

/** How a family marks the parts of a file for filling in the middle: prefix, suffix, then the model writes what is between. */
export interface FimFormat {
  readonly family: 'qwenCoder' | 'codeGemma' | 'starCoder' | 'deepSeekCoder';
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string;
  /** Marks a file of its own in front of the one being written; absent where the model was not trained on several files. */
  readonly file?: { readonly repository?: string; readonly separator: string };
  /** Text that ends a generation. Control tokens that a model writes appear as text, so they are stop strings. */
  readonly stop: readonly string[];
}

export interface FimParts {
  readonly prefix: string;
  readonly suffix: string;
  readonly path?: string;
  /** Parts of other files, in an order that stays the same between requests. */
  readonly context?: readonly { readonly path: string; readonly text: string }[];
}

const pipes = { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' };

/** Qwen2.5-Coder technical report, sections on file-level and repository-level training. */
const qwenCoder: FimFormat = {
  family: 'qwenCoder', ...pipes, file: { repository: '<|repo_name|>', separator: '<|file_sep|>' },
  stop: ['<|endoftext|>', '<|fim_pad|>', '<|file_sep|>', '<|repo_name|>', '<|im_end|>', '<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'],
};

/** CodeGemma model card: the separator ends a completion, too. */
const codeGemma: FimFormat = { family: 'codeGemma', ...pipes, file: { separator: '<|file_separator|>' }, stop: ['<|file_separator|>', '<end_of_turn>', '<eos>'] };

/** StarCoder 2 paper, section on repository-level training. */
const starCoder: FimFormat = {
  family: 'starCoder', prefix: '<fim_prefix>', suffix: '<fim_suffix>', middle: '<fim_middle>', file: { separator: '<file_sep>' },
  stop: ['<|endoftext|>', '<file_sep>', '<fim_pad>'],
};

/** DeepSeek-Coder README: the hole stands between prefix and suffix, the end marker asks for it. */
const deepSeekCoder: FimFormat = {
  family: 'deepSeekCoder', prefix: '<｜fim▁begin｜>', suffix: '<｜fim▁hole｜>', middle: '<｜fim▁end｜>', stop: ['<｜end▁of▁sentence｜>', '<|EOT|>'],
};

type Known = Pick<LoadedModel, 'architecture' | 'name' | 'path' | 'fillInMiddle'>;

/**
 * The format of a loaded model; undefined when it cannot fill in the middle. The markers must be in the vocabulary and the family
 * must be trained on them: general Qwen models have the markers too, and only write prose after them.
 */
export function fimFormatFor(loaded: Known): FimFormat | undefined {
  if (!loaded.fillInMiddle) return undefined;
  const said = `${loaded.name} ${loaded.path.slice(Math.max(loaded.path.lastIndexOf('/'), loaded.path.lastIndexOf('\\')) + 1)}`.toLowerCase();
  if (loaded.architecture.startsWith('starcoder')) return starCoder;
  if (loaded.architecture.startsWith('qwen')) return said.includes('coder') ? qwenCoder : undefined;
  if (loaded.architecture === 'gemma') return /code-?gemma/u.test(said) ? codeGemma : undefined;
  return /deepseek.*coder/u.test(said) ? deepSeekCoder : undefined;
}

/** Whether parts of other files help this format. */
export const takesContext = (format: FimFormat): boolean => format.file !== undefined;

/**
 * The prompt. What changes least comes first (other files, path, prefix), so that a request shares its beginning with the one before. Only the
 * markers are control text: a marker that stands in a file stays text.
 */
export function renderFim(format: FimFormat, { prefix, suffix, path, context = [] }: FimParts): PromptSegment[] {
  const control = (text: string): PromptSegment => ({ text, control: true });
  const plain = (text: string): PromptSegment => ({ text, control: false });
  const segments: PromptSegment[] = [];
  const { file } = format;
  if (file !== undefined && context.length > 0) {
    if (file.repository !== undefined) segments.push(control(file.repository), plain('repository\n'));
    for (const other of context) segments.push(control(file.separator), plain(`${other.path}\n${other.text}`));
    segments.push(control(file.separator), plain(`${path ?? 'file'}\n`));
  }
  segments.push(control(format.prefix), plain(prefix), control(format.suffix), plain(suffix), control(format.middle));
  return segments.filter(({ text }) => text !== '');
}
