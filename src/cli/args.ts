import { parseArgs } from 'node:util';
import { settings } from '../protocol/settings.js';

export interface AskOptions {
  readonly question: string;
  /** As given; resolved against the current folder. */
  readonly folder: string;
  readonly json: boolean;
  /** Catalogue id, path of a GGUF file, or the model's name at the endpoint; `auto` when left out. */
  readonly model: string;
  readonly steps: number;
  readonly endpoint: string | undefined;
}

export type Arguments =
  | { readonly kind: 'ask'; readonly options: AskOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly problem: string };

export const help = `Ask about a folder with a local model. Nothing is changed, no command is run, and no MCP server is started.

  npm run ask -- "question" [options]

  --folder PATH     the folder to ask about (default: the current one)
  --model NAME      a model of the catalogue, a GGUF file, or the endpoint's model (default: the best that fits)
  --endpoint URL    ask an OpenAI-compatible endpoint instead, for example http://127.0.0.1:8080/v1
                    (its key, if it wants one, in LOUPE_API_KEY)
  --steps N         most model calls (default: ${settings['loupe.agent.maxSteps'].default})
  --json            one JSON object instead of text
  --help            this text

Ends with 0 when answered, 1 on an error, 2 on wrong arguments, 3 when the answer is partial, 130 when stopped with Ctrl-C.
`;

/** Pure. The words that are no options are the question. */
export function parseArguments(args: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true, strict: true,
      options: {
        folder: { type: 'string', default: '.' }, json: { type: 'boolean', default: false }, model: { type: 'string', default: 'auto' },
        steps: { type: 'string' }, endpoint: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (thrown) {
    return { kind: 'usage', problem: (thrown as Error).message }; // parseArgs throws nothing but its own complaints
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };
  const question = positionals.join(' ').trim();
  if (question === '') return { kind: 'usage', problem: 'There is no question.' };
  const { default: standard, minimum, maximum } = settings['loupe.agent.maxSteps'];
  const steps = values.steps === undefined ? standard : Number(values.steps);
  if (!Number.isInteger(steps) || steps < minimum || steps > maximum) {
    return { kind: 'usage', problem: `--steps must be a whole number from ${minimum} to ${maximum}.` };
  }
  return { kind: 'ask', options: { question, folder: values.folder, json: values.json, model: values.model, steps, endpoint: values.endpoint } };
}
