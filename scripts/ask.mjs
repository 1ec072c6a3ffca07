// npm run ask -- "question": builds, fetches a model when none is chosen, and runs the command line.
import { build } from './build.mjs';
import { defaultChatModel } from './lib/defaultModel.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { run } from './lib/exec.mjs';
import { runMain } from './lib/log.mjs';
import { ensureModels } from './lib/models.mjs';
import { fromRoot } from './lib/paths.mjs';
import { ensureNative } from './native.mjs';

const bringsNoModel = /^(--model|--endpoint|--help|-h)(=|$)/;

await runMain(async args => {
  await ensureDependencies();
  await ensureNative({ orElseStock: true });
  await build();
  if (args.length > 0 && !args.some(arg => bringsNoModel.test(arg))) await ensureModels([defaultChatModel()]);
  // The question is about the folder that npm was called in, not about the one that holds package.json.
  return run(process.execPath, [fromRoot('dist', 'cli', 'main.mjs'), ...args], { cwd: process.env.INIT_CWD ?? process.cwd() });
});
