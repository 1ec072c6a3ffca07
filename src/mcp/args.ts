import { parseArgs } from 'node:util';

export interface ServeOptions {
  /** The folder to serve without a window; else the folder of the window to attach to, where undefined means the one that fits best. */
  readonly folder: string | undefined;
  readonly window: string | undefined;
  readonly http: boolean;
  /** 0: any that is free. */
  readonly port: number;
}

export type Arguments =
  | { readonly kind: 'serve'; readonly options: ServeOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly problem: string };

export const help = `Serves a workspace to other assistants over the Model Context Protocol, on standard input and output.

  loupe-mcp [--window FOLDER]     the workspace that is open in VS Code: unsaved text, problems, edits and commands that the user approves
                                  (default: the window that has the current folder open, else the only one)
  loupe-mcp --folder PATH         a folder without VS Code, to be read only

  --http [--port N]               Streamable HTTP on 127.0.0.1 instead, with a token
  --help                          this text
`;

/** Pure. */
export function parseArguments(args: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], strict: true,
      options: {
        folder: { type: 'string' }, window: { type: 'string' }, http: { type: 'boolean', default: false }, port: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (thrown) {
    return { kind: 'usage', problem: (thrown as Error).message }; // parseArgs throws nothing but its own complaints
  }
  const { folder, window, http, port, help: wantsHelp } = parsed.values;
  if (wantsHelp) return { kind: 'help' };
  if (folder !== undefined && window !== undefined) return { kind: 'usage', problem: '--folder and --window exclude each other.' };
  if (port !== undefined && !http) return { kind: 'usage', problem: '--port needs --http.' };
  const number = port === undefined ? 0 : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) return { kind: 'usage', problem: '--port must be a whole number from 0 to 65535.' };
  return { kind: 'serve', options: { folder, window, http, port: number } };
}
