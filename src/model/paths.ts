import os from 'node:os';
import path from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where everything lies that outlives a checkout and a workspace: models, sockets, built helpers. `LOUPE_CACHE` overrides the
 * platform's cache folder. The same rule as `scripts/lib/paths.mjs`, which runs before anything is compiled.
 */
export function cacheRoot(env: Environment = process.env, platform: NodeJS.Platform = process.platform, home: string = os.homedir()): string {
  if (env.LOUPE_CACHE) return path.resolve(env.LOUPE_CACHE);
  if (platform === 'win32') return path.join(env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'), 'loupe');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'loupe');
  return path.join(env.XDG_CACHE_HOME ?? path.join(home, '.cache'), 'loupe');
}

/** The folder of downloaded models: the setting `loupe.model.directory`, else `models` in the cache. `~` is the home folder. */
export function modelsDirectory(setting = '', root: string = cacheRoot()): string {
  const wanted = setting.trim();
  return wanted === '' ? path.join(root, 'models') : path.resolve(expandHome(wanted));
}

/**
 * Where the hash of a model file is remembered: beside it (undefined) in the models folder, else in the cache. Nothing of ours is
 * written into the folders of other programs.
 */
export function hashRecords(file: string, directory: string, root: string = cacheRoot()): string | undefined {
  return path.dirname(file) === directory ? undefined : path.join(root, 'checked');
}

export function expandHome(file: string, home: string = os.homedir()): string {
  return file === '~' || file.startsWith('~/') || file.startsWith('~\\') ? path.join(home, file.slice(1)) : file;
}
