import { toError } from '../base/errors.js';
import { isSecretPath } from '../base/secretPaths.js';
import { normalisePath, resolveInside } from '../context/files/paths.js';
import { commandShape } from './commandShape.js';
import type { Reach } from './policy.js';
import type { CommandPort } from './ports.js';
import { commandFiles } from './workspace/namedFiles.js';
import { protectedReason } from './workspace/protectedPaths.js';

/** What a path that a model named reaches, by its name and by the file that links make of it: the stricter of both counts. */
export async function pathReach(root: string, path: string): Promise<Reach> {
  try {
    const named = normalisePath(path, root);
    const { relative } = await resolveInside(root, path);
    if (isSecretPath(named) || isSecretPath(relative)) return { path: 'secret', why: `${JSON.stringify(named)} may hold credentials.` };
    const why = protectedReason(named) ?? protectedReason(relative);
    return why === undefined ? { path: 'workspace' } : { path: 'protected', why };
  } catch (thrown) {
    const { code, message, next } = toError(thrown);
    if (code === 'path.outsideWorkspace') return { path: 'outside', why: `${message} ${next}` };
    throw thrown;
  }
}

/** A command reaches what its sandbox leaves it; without one, everything. */
export async function commandReach(root: string, commands: CommandPort, text: string): Promise<Reach> {
  const [isolation, files] = await Promise.all([commands.isolation(), commandFiles(root, text)]);
  const command = { text, shape: commandShape(text), isolation, files };
  if (isolation.kind === 'none') return { path: 'outside', why: `It runs without a sandbox: ${isolation.why}`, command };
  return isolation.network ? { path: 'outside', class: 'network', why: 'It can use the network.', command } : { path: 'workspace', command };
}
