import { foldPath, isSecretPath } from '../../base/secretPaths.js';

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
