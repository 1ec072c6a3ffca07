import { isIP } from 'node:net';
import { type LoupeError, makeError } from '../../base/errors.js';
import { type Result, err, ok } from '../../base/result.js';

const next = 'Set loupe.endpoint.url to an address such as http://127.0.0.1:8080/v1 or https://host/v1.';

/**
 * The base address that `/chat/completions` and `/models` are appended to. People paste addresses with the last part on, or
 * without `/v1`; both are understood. Errors: `endpoint.unreachable`.
 * @param hasKey a key is only sent over https, or to this machine and private networks
 */
export function endpointBase(text: string, hasKey: boolean): Result<URL> {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return err(invalid(`"${text.slice(0, 100)}" is not an address.`));
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return err(invalid(`The endpoint address begins with ${url.protocol}, not with http: or https:.`));
  if (url.username || url.password) return err(invalid('The endpoint address holds a user name or password.', 'Remove it, and set the key with "Loupe: Set Endpoint API Key".'));
  if (hasKey && url.protocol === 'http:' && !isPrivateHost(url.hostname)) {
    return err(invalid(`The API key would go to ${url.hostname} unencrypted.`, 'Use an https address, or remove the key with "Loupe: Set Endpoint API Key".'));
  }
  url.search = '';
  url.hash = '';
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|completions|models)$/, '');
  url.pathname = path === '' ? '/v1' : path;
  return ok(url);
}

const invalid = (message: string, step = next): LoupeError => makeError('endpoint.unreachable', message, step);

/** `path` below the base, or below the server's root for what llama.cpp and Ollama offer beside `/v1`. */
export const below = (base: URL, path: string): URL => new URL(`${base.pathname}${path}`, base);
export const besides = (base: URL, path: string): URL => new URL(`${base.pathname.replace(/\/v\d+$/, '')}${path}`, base);

/** This machine, a private network, or a name that only such a network knows. */
export function isPrivateHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name.endsWith('.local') || name.endsWith('.internal')) return true;
  if (isIP(name) === 4) return /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(name);
  if (isIP(name) === 6) return name === '::1' || /^f[cd]/.test(name) || /^fe[89ab]/.test(name);
  return !name.includes('.');
}
