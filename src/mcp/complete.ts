import type { ServedWorkspace } from './workspace/port.js';

/** The most that the protocol allows. */
const mostValues = 100;

/** Paths that contain what was typed, for arguments and addresses that take a path. */
export async function completePath(workspace: ServedWorkspace, typed: string, signal: AbortSignal): Promise<{ readonly values: string[]; readonly hasMore: boolean }> {
  const wanted = typed.replaceAll('\\', '/').replace(/[[\]{}()!*?+@,]/g, '?').slice(0, 300);
  const glob = wanted === '' ? {} : { glob: wanted.includes('/') ? `**/*${wanted.replace(/^\/+/, '')}*` : `**/*${wanted}*` };
  const { paths, truncated } = await workspace.listFiles({ ...glob, limit: mostValues }, signal);
  // A glob is matched by segments: what begins a folder's path begins no name in it.
  const begins = wanted === '' || paths.length === mostValues ? [] : (await workspace.listFiles({ glob: `${wanted}*/**`, limit: mostValues }, signal)).paths;
  const values = [...new Set([...paths, ...begins])].filter((path) => !/[\u0000-\u001f]/.test(path));
  return { values: values.slice(0, mostValues), hasMore: truncated || values.length > mostValues };
}
