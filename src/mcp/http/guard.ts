import { sameToken } from '../../model/socketGate.js';

export interface RequestHead {
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Refusal { readonly status: 401 | 403 | 404; readonly message: string }

export const endpointPath = '/mcp';

/**
 * Why a request is not served; undefined: it is. A page in a browser can send requests to this machine: by a name that it lets resolve to it, which
 * `Host` tells, or from elsewhere, which `Origin` tells. The token keeps out whoever else is on the machine.
 */
export function refusal({ url, headers }: RequestHead, port: number, token: string): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin, authorization } = headers;
  if (typeof host !== 'string' || !hosts.includes(host.toLowerCase())) return { status: 403, message: 'Forbidden: the Host header does not name this server.' };
  if (origin !== undefined && !(typeof origin === 'string' && hosts.some((one) => origin.toLowerCase() === `http://${one}`))) {
    return { status: 403, message: 'Forbidden: requests of other origins are not served.' };
  }
  const given = typeof authorization === 'string' ? /^Bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1] : undefined;
  if (given === undefined || !sameToken(given, token)) return { status: 401, message: 'Unauthorized: give the token as "Authorization: Bearer ...".' };
  return url?.split('?')[0] === endpointPath ? undefined : { status: 404, message: `Not found: the endpoint is ${endpointPath}.` };
}
