/**
 * Paths that matter more than others. Compared in a folded form (case, Unicode form, trailing dots), since some file
 * systems open `.VSCODE/Settings.json` as `.vscode/settings.json`: what only looks different is the same everywhere.
 */
export function foldPath(path: string): string {
  return path.normalize('NFKC').toLowerCase().replaceAll('\\', '/')
    .split('/').filter((segment) => segment !== '' && segment !== '.').map((segment) => segment.replace(/(::\$data|[. ])+$/, '')).join('/');
}

/** Why a write to this path deserves a second look, or undefined. Writes ask in any case; this is what the approval says. */
export function protectedReason(path: string): string | undefined {
  const folded = foldPath(path);
  const name = folded.split('/').at(-1) ?? '';
  if (/(^|\/)\.(vscode|cursor|claude|github|git|idea|loupe|husky|devcontainer)(\/|$)/.test(folded)) return 'This folder configures tools that run by themselves.';
  if (/~\d/.test(folded)) return 'This is a short name that may stand for another file.';
  if (name.endsWith('.code-workspace') || ['.mcp.json', '.gitattributes', '.gitmodules', '.npmrc', '.pypirc', '.envrc'].includes(name) || name.startsWith('.yarnrc')) {
    return 'This file configures tools that run by themselves.';
  }
  if (isSecretPath(path) || name.startsWith('.env')) return 'This file usually holds secrets.';
  if (['package.json', 'build.rs', 'makefile', 'setup.py', 'pyproject.toml', 'conftest.py', 'cmakelists.txt'].includes(name) || /\.(csproj|props|targets|gradle|kts)$/.test(name)) {
    return 'Code in this file runs when the project is built.';
  }
  if (/^(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|cargo\.lock|poetry\.lock|gemfile\.lock|composer\.lock|go\.sum|uv\.lock|bun\.lockb?)$/.test(name)) {
    return 'This lock file decides which packages are installed.';
  }
  if (/^\.(bashrc|bash_profile|bash_login|profile|zshrc|zshenv|zprofile|zlogin|cshrc|kshrc|inputrc)$/.test(name) || name === 'config.fish') return 'A shell runs this file when it starts.';
  return undefined;
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
