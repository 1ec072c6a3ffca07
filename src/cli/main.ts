import { join } from 'node:path';
import { systemClock } from '../base/clock.js';
import { silentLogger } from '../base/logger.js';
import { NodeWorkspace } from '../agent/workspace/nodeWorkspace.js';
import { readHardware } from '../model/hardware.js';
import { installedModels } from '../model/installed.js';
import { LocalChatModel } from '../model/localChatModel.js';
import { cacheRoot, modelsDirectory } from '../model/paths.js';
import { SidecarSupervisor } from '../model/sidecar/supervisor.js';
import { help, parseArguments, type AskOptions } from './args.js';
import { ask } from './ask.js';
import { connect } from './connect.js';
import { findInstallation } from './installation.js';
import { exitCodes } from './report.js';

/** Entry of the command line. Configured by its arguments and the user's environment only, never by the folder asked about. */
async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.kind === 'help') {
    process.stdout.write(help);
    return exitCodes.answered;
  }
  if (parsed.kind === 'usage') {
    process.stderr.write(`${parsed.problem}\n\n${help}`);
    return exitCodes.usage;
  }
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled); // the second time means now
    controller.abort();
  });
  return answer(parsed.options, controller.signal);
}

async function answer(options: AskOptions, signal: AbortSignal): Promise<number> {
  const { sidecar, ripgrep, build } = findInstallation(import.meta.url);
  const engine = new SidecarSupervisor({
    entry: sidecar, execPath: process.execPath, stateDir: join(cacheRoot(), 'run'), client: 'cli', build, logger: silentLogger, clock: systemClock,
  });
  try {
    return await ask({
      clock: systemClock,
      output: {
        write: (text) => process.stdout.write(text), note: (text) => process.stderr.write(text), progress: process.stderr.isTTY,
      },
      workspace: (root) => new NodeWorkspace(root, ripgrep),
      connect: (asked, status, stop) => connect({
        engine, apiKey: process.env['LOUPE_API_KEY'], hardware: () => readHardware(),
        installed: (files) => installedModels(modelsDirectory(), files), chatModel: (loaded) => new LocalChatModel(engine, loaded),
      }, asked, status, stop),
    }, options, signal);
  } finally {
    engine.dispose();
  }
}

// A reader that has enough (`| head`) closes the pipe; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exitCodes.answered : exitCodes.failed));
process.exitCode = await main();
