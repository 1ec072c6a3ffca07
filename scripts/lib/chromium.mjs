import fs from 'node:fs';
import { canInstallDebianPackages, installDebianPackages } from './debian.mjs';
import { which } from './exec.mjs';
import { Stop } from './log.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const onMac = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];
const onWindows = ['C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe'];

/** The browser that `playwright-core install chromium` fetched, where somebody ran that. */
async function ofPlaywright() {
  const { chromium } = await import('playwright-core');
  const file = chromium.executablePath();
  return fs.existsSync(file) ? file : undefined;
}

async function findChromium() {
  const places = { darwin: onMac, win32: onWindows }[process.platform] ?? [];
  return process.env.CHROMIUM ?? names.map(name => which(name)).find(Boolean) ?? places.find(file => fs.existsSync(file)) ?? ofPlaywright();
}

/** Path of a Chromium; on Debian and Ubuntu as root it is installed when missing. */
export async function ensureChromium() {
  const found = await findChromium();
  if (found) return found;
  if (!canInstallDebianPackages()) throw new Stop('The workbench tests need Chromium. Install it, or set CHROMIUM to its path.');
  await installDebianPackages('chromium from the distribution', ['chromium', 'fonts-dejavu-core']);
  const installed = await findChromium();
  if (!installed) throw new Stop('chromium was installed, but is not on PATH.');
  return installed;
}
