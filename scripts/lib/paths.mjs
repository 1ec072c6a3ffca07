import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const fromRoot = (...parts) => path.join(root, ...parts);

/**
 * Where everything that outlives a checkout is kept: models, the browser workbench, a newer Node.
 * The same rule as src/model/paths.ts, repeated because these scripts run before anything is compiled; a test compares both.
 */
export function cacheRoot(env = process.env, platform = process.platform, home = os.homedir()) {
  if (env.LOUPE_CACHE) return path.resolve(env.LOUPE_CACHE);
  if (platform === 'win32') return path.join(env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'), 'loupe');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'loupe');
  return path.join(env.XDG_CACHE_HOME ?? path.join(home, '.cache'), 'loupe');
}

export const modelsDir = () => path.join(cacheRoot(), 'models');

/** The name VS Code uses for a platform-specific extension: `linux-x64`, `darwin-arm64`, `win32-x64`. */
export const vsceTarget = `${process.platform}-${process.arch}`;
