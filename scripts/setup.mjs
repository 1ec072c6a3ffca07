// npm run setup [-- piece ...]: fetches everything that building and testing need. Without a piece: all of them.
import { ensureDependencies } from './lib/dependencies.mjs';
import { note, runMain } from './lib/log.mjs';
import { cacheRoot } from './lib/paths.mjs';
import { testModels } from './lib/testModels.mjs';

const pieces = {
  dependencies: ensureDependencies,
  node: async () => (await import('./lib/newerNode.mjs')).ensureNode24(),
  workbench: async () => (await import('./lib/codeServer.mjs')).ensureCodeServer(),
  chromium: async () => (await import('./lib/chromium.mjs')).ensureChromium(),
  bubblewrap: async () => (await import('./lib/bubblewrap.mjs')).ensureBubblewrap(),
  models: async () => (await import('./lib/models.mjs')).ensureModels(Object.keys(testModels)),
  native: async () => (await import('./native.mjs')).ensureNative(),
  llamaServer: async () => (await import('./lib/llamaServer.mjs')).ensureLlamaServer({ cacheRoot: cacheRoot() }),
};

await runMain(async args => {
  const unknown = args.filter(name => !(name in pieces));
  if (unknown.length > 0) {
    note(`no piece named ${unknown.join(', ')}; there are ${Object.keys(pieces).join(', ')}`);
    return 64;
  }
  for (const name of args.length > 0 ? args : Object.keys(pieces)) note(`${name}: ${(await pieces[name]()) ?? 'ready'}`);
});
