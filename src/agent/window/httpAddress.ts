import { join } from 'node:path';
import * as z from 'zod';
import { ensureStateDir, readPrivateJson, shortHash, writePrivateJson } from '../../model/sidecar/stateFiles.js';

/**
 * Port and token of the HTTP server of one folder. They outlive the server: configuration that a user copied stays right when the window is
 * opened again. In a file that this user alone can read.
 */
const addressSchema = z.object({ port: z.number().int().min(1).max(65_535), token: z.string().min(32), folder: z.string() });
export type HttpAddress = z.infer<typeof addressSchema>;

export const httpAddressFile = (stateDir: string, folder: string): string => join(stateDir, `mcp-http-${shortHash(folder)}.json`);

export async function readHttpAddress(stateDir: string, folder: string): Promise<HttpAddress | undefined> {
  const parsed = addressSchema.safeParse(await readPrivateJson(httpAddressFile(stateDir, folder)));
  return parsed.success && parsed.data.folder === folder ? parsed.data : undefined;
}

export async function writeHttpAddress(stateDir: string, address: HttpAddress): Promise<void> {
  await ensureStateDir(stateDir);
  await writePrivateJson(httpAddressFile(stateDir, address.folder), address, process.pid);
}

export const endpointOf = (port: number): string => `http://127.0.0.1:${port}/mcp`;
