// Packages of Debian and Ubuntu, where this runs as root.
import { capture, mustRun, which } from './exec.mjs';
import { step } from './log.mjs';

export const canInstallDebianPackages = () => which('apt-get') !== undefined && process.getuid?.() === 0;

export async function installDebianPackages(title, names) {
  await step(title, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await capture('apt-get', ['update', '-qq'], { env });
    await mustRun('apt-get install', 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  });
}
