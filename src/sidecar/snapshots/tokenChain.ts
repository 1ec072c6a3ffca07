import { createHash } from 'node:crypto';

/** Hex digits of a chain hash: 128 bits tell prefixes apart; authenticity comes from the file's MAC. */
export const chainDigits = 32;

/**
 * Hashes of the first `ends[i]` tokens, for ascending ends of at most `tokens.length`: one pass over the tokens. Equal hashes mean equal prefixes.
 */
export function chainHashes(tokens: readonly number[], ends: readonly number[]): string[] {
  const bytes = Buffer.from(Uint32Array.from(tokens).buffer);
  const hash = createHash('sha256');
  let at = 0;
  return ends.map((end) => {
    hash.update(bytes.subarray(at * 4, end * 4));
    at = end;
    return hash.copy().digest('hex').slice(0, chainDigits);
  });
}
