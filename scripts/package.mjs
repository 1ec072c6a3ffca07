// npm run package: builds for production and packs loupe-<platform>-<version>.vsix, checked file by file.
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { ensureNative } from './native.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { mustRun } from './lib/exec.mjs';
import { isMain, note, runMain, step, Stop } from './lib/log.mjs';
import { fromRoot, vsceTarget } from './lib/paths.mjs';

/**
 * Builds and packs. Returns the path of the .vsix; throws when it holds a file that is not on the list, or lacks one. With `orElseStock` a
 * build of our binding that fails is told, and the package holds the published one alone.
 */
export async function packageExtension({ orElseStock = false } = {}) {
  await ensureDependencies();
  const ownBinding = await ensureNative({ orElseStock });
  const { bindingPackage, stageSidecarModules } = await import('./lib/sidecarModules.mjs');
  const { writeNotices } = await import('./lib/notices.mjs');
  const { checkFiles } = await import('./lib/packagedFiles.mjs');
  const { zipEntries } = await import('./lib/zip.mjs');

  fs.rmSync(fromRoot('dist'), { recursive: true, force: true });
  const metafiles = await build({ production: true });
  return step('package', async () => {
    const staged = await stageSidecarModules(fromRoot('dist', 'sidecar', 'node_modules'), ownBinding);
    writeNotices(fromRoot('dist', 'THIRD_PARTY_NOTICES.txt'), metafiles, staged);
    const { name, version } = JSON.parse(fs.readFileSync(fromRoot('package.json'), 'utf8'));
    const vsix = fromRoot(`${name}-${vsceTarget}-${version}.vsix`);
    fs.rmSync(vsix, { force: true });
    await mustRun('vsce package', process.execPath, [
      fromRoot('node_modules', '@vscode', 'vsce', 'vsce'), 'package', '--no-dependencies', '--target', vsceTarget, '--out', vsix,
      '--allow-missing-repository', '--no-rewrite-relative-links',
    ]);
    const problems = checkFiles(zipEntries(vsix), bindingPackage(), ownBinding && path.basename(ownBinding));
    if (problems.length > 0) throw new Stop(`${path.basename(vsix)} is not what it should be:\n${problems.join('\n')}`);
    note(`${path.basename(vsix)}: ${(fs.statSync(vsix).size / 2 ** 20).toFixed(1)} MiB`);
    return vsix;
  });
}

if (isMain(import.meta)) await runMain(async () => void await packageExtension());
