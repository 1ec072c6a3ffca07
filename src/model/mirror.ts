import { failure } from '../base/errors.js';
import { isLoopback } from './loopback.js';

const next = 'Set loupe.model.mirror to an address such as https://mirror.example.com, or leave it empty.';

/**
 * Where to fetch a file of the hub: there, or below the mirror under the same path, as hubs' own mirrors and the proxies of
 * companies serve it. What arrives is checked against the published hash, so a mirror need not be trusted.
 * @param mirror the setting: https, or http on this machine; empty for none
 * @throws LoupeFailure `download.failed`
 */
export function mirrored(url: string, mirror: string): string {
  const text = mirror.trim();
  if (text === '') return url;
  if (!URL.canParse(text)) throw failure('download.failed', `The mirror ${JSON.stringify(text.slice(0, 100))} is not an address.`, next);
  const base = new URL(text);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && isLoopback(base))) {
    throw failure('download.failed', `The mirror ${base.protocol}//${base.host} is neither https nor on this machine.`, next);
  }
  if (base.username || base.password) throw failure('download.failed', 'The address of the mirror holds a user name or password.', next);
  return new URL(base.pathname.replace(/\/+$/, '') + new URL(url).pathname, base).href;
}
