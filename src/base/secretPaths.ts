/**
 * Paths that matter more than others. Compared in a folded form (case, Unicode form, trailing dots), since some file
 * systems open `.VSCODE/Settings.json` as `.vscode/settings.json`: what only looks different is the same everywhere.
 */
export function foldPath(path: string): string {
  return path.normalize('NFKC').toLowerCase().replaceAll('\\', '/')
    .split('/').filter((segment) => segment !== '' && segment !== '.').map((segment) => segment.replace(/(::\$data|[. ])+$/, '')).join('/');
}

/** Files that are neither listed, searched nor read: they hold credentials, and what a model reads can end up in an answer. */
export function isSecretPath(path: string): boolean {
  const folded = foldPath(path);
  const name = folded.split('/').at(-1) ?? '';
  if (/(^|\/)\.(git|ssh|aws|gnupg|kube|docker)(\/|$)/.test(folded)) return true;
  if (name === '.env' || (name.startsWith('.env.') && !/\.(example|sample|template|dist)$/.test(name)) || name === '.envrc') return true;
  return /^(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|_netrc|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd|credentials\.json|secrets?\.(json|ya?ml|toml))$/.test(name)
    || /\.(pem|key|p12|pfx|jks|keystore|kdbx)$/.test(name);
}
