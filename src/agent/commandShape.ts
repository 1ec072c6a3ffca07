import { revealHidden } from '../base/hiddenText.js';

/**
 * `plain`: words with single blanks between them, a program and what it is given. `shell`: anything a shell does more with. `hidden`: holds
 * what cannot be seen, or pushes its end out of sight. Nothing is parsed any further: what is not surely plain is not.
 */
export type CommandShape = 'plain' | 'shell' | 'hidden';

const plainWords = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*(?: [A-Za-z0-9_@%+=:,./-]+)*$/;
/** Builtins change the shell that runs them, and launchers run what follows them. */
const notPrograms = new Set([
  '.', ':', 'alias', 'bash', 'bg', 'builtin', 'cd', 'command', 'dash', 'declare', 'doas', 'enable', 'env', 'eval', 'exec', 'export', 'fg', 'hash', 'nice', 'nohup',
  'readonly', 'set', 'setsid', 'sh', 'shopt', 'source', 'su', 'sudo', 'time', 'timeout', 'trap', 'typeset', 'ulimit', 'umask', 'unalias', 'unset', 'xargs', 'zsh',
]);

export function commandShape(command: string): CommandShape {
  if (commandWarnings(command).length > 0) return 'hidden';
  const [program = ''] = command.split(' ');
  return plainWords.test(command) && !program.includes('=') && !notPrograms.has(program.split('/').at(-1) ?? '') ? 'plain' : 'shell';
}

/** What is easy to overlook in a command, a sentence each. */
export function commandWarnings(command: string): readonly string[] {
  const revealed = revealHidden(command);
  return [
    /[ \t]{20,}/.test(command) ? 'The command has a long run of blanks with more behind it.' : undefined,
    /[\r\n]/.test(command.trim()) ? 'The command has several lines.' : undefined,
    revealed.count > 0 ? `The command holds hidden characters: ${revealed.text}` : undefined,
  ].filter((reason) => reason !== undefined);
}
