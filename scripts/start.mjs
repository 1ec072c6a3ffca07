// npm start [-- --folder path] [--port number]: sets up, builds, packages, fetches a small model and opens an editor with Loupe in it.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { defaultChatModel } from './lib/defaultModel.mjs';
import { runMain } from './lib/log.mjs';
import { ensureModels } from './lib/models.mjs';
import { openWorkbench } from './lib/openWorkbench.mjs';
import { packageExtension } from './package.mjs';

await runMain(async args => {
  const { values } = parseArgs({ args, options: { folder: { type: 'string', default: '.' }, port: { type: 'string', default: '8734' } } });
  const vsix = await packageExtension({ orElseStock: true });
  await ensureModels([defaultChatModel()]);
  return openWorkbench(vsix, path.resolve(process.env.INIT_CWD ?? '.', values.folder), Number(values.port));
});
