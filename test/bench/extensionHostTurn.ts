import { spawn } from 'node:child_process';

/** How long a turn blocks the extension host, in the real workbench: runs test/e2e/hostTurn, which prints the measurements. */
const child = spawn(process.execPath, ['scripts/test.mjs', 'e2e', '--only', 'hostTurn'], { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.setEncoding('utf8').on('data', (text: string) => {
  // Mocha indents what a test prints.
  process.stdout.write(text.replace(/^\s+(?=\{)/gm, ''));
});
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
