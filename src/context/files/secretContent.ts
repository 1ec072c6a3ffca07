/**
 * Texts that are credentials by their form: private keys with a body, and tokens of services that mark theirs with a prefix. A name for such a thing, or a
 * check for the first line of a key, is none.
 */
const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----[^-]{0,300}?[A-Za-z0-9+/]{40}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b(?<!EXAMPLE)/,
  /\bgh[pousr]_[A-Za-z0-9]{36}/,
  /\bgithub_pat_[A-Za-z0-9_]{50}/,
  /\bglpat-[\w-]{20}/,
  /\bxox[abeprs]-[0-9A-Za-z-]{20}/,
  /\bAIza[\w-]{35}/,
  /\bGOCSPX-[\w-]{24}/,
  /\b[sr]k_live_[0-9A-Za-z]{20}/,
  /\bsk-(?:ant-|proj-)[\w-]{24}/,
  /\bsk-[A-Za-z0-9]{40}/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\bpypi-AgE[\w-]{50}/,
  /\bhf_[A-Za-z]{34}\b/,
  /\bSG\.[\w-]{22}\.[\w-]{43}/,
  /\bAccountKey=[A-Za-z0-9+/]{60}/,
  /\beyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{20}/,
];

/** `apiKey = "..."` and its kind: the value decides, by its entropy. */
const assigned = /(?:password|passwd|pwd|secret|api_?-?key|access_?-?key|auth_?-?token|private_?-?key|client_?-?secret|token)["']?\s{0,8}[:=]\s{0,8}["'`]([A-Za-z0-9+/_=.-]{24,200})["'`]/gi;
/** `scheme://user:password@host`. */
const inUrl = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"'`<>]{1,64}:([^\s:@/"'`<>{}$]{8,128})@/gi;

/** Bits per character from which a value is taken for random: words and names lie near 3, base64 of random bytes above 4.2. */
const randomBits = 4;
const randomPasswordBits = 3.2;

export function holdsSecret(text: string): boolean {
  if (forms.some((form) => form.test(text))) return true;
  for (const [, value = ''] of text.matchAll(assigned)) {
    if (/\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= randomBits) return true;
  }
  for (const [, value = ''] of text.matchAll(inUrl)) {
    if (/\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= randomPasswordBits) return true;
  }
  return false;
}

/** Shannon entropy of a text's characters, in bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
