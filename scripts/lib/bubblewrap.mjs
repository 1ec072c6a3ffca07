import { canInstallDebianPackages, installDebianPackages } from './debian.mjs';
import { which } from './exec.mjs';
import { note } from './log.mjs';

/** Path of bubblewrap, which confines commands on Linux; on Debian and Ubuntu as root it is installed when missing. Undefined: its tests say so and are skipped. */
export async function ensureBubblewrap() {
  if (process.platform !== 'linux') return undefined;
  if (!which('bwrap') && canInstallDebianPackages()) await installDebianPackages('bubblewrap from the distribution', ['bubblewrap']);
  const found = which('bwrap');
  if (!found) note('bubblewrap is not installed: the tests of the sandbox are skipped.');
  return found;
}
