import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { step, Stop } from './log.mjs';

const staleMs = 6 * 3600_000;

/**
 * Holds `file` as a lock while `work` runs, so that two runs at once do not fetch the same thing twice. A lock whose
 * holder has died is taken over; one older than six hours too, since process ids are reused.
 */
export async function withLock(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(file)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told) process.stderr.write(`waiting for another run that holds ${file}\n`);
    told = true;
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function isStale(file) {
  try {
    if (Date.now() - fs.statSync(file).mtimeMs > staleMs) return true;
    const pid = Number(fs.readFileSync(file, 'utf8'));
    if (!pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/**
 * A cached file or folder: returns `target` at once when it is there; else `make(work)` prepares it under the folder
 * `work` and returns the path of the finished thing, which is then renamed into place. What is at `target` is therefore
 * always complete. `work` survives a failed run, so that `make` can resume.
 */
export async function cached(title, target, make) {
  if (fs.existsSync(target)) return target;
  return withLock(`${target}.lock`, async () => {
    if (fs.existsSync(target)) return target;
    return step(title, async () => {
      const work = `${target}.partial`;
      fs.mkdirSync(work, { recursive: true });
      const made = await make(work);
      if (!fs.existsSync(made)) throw new Stop(`${title}: ${made} was not made.`);
      fs.renameSync(made, target);
      fs.rmSync(work, { recursive: true, force: true });
      return target;
    });
  });
}
