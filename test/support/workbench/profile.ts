import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './paths.js';
import type { NamedScenario, Scenario, ScenarioPaths } from './scenario.js';

/** A throw-away home for one scenario: profile, extensions, cache and workspace, all below one temporary folder. */
export interface Profile {
  readonly folder: string;
  readonly userData: string;
  readonly extensions: string;
  /** The first folder. */
  readonly workspace: string;
  /** What the window opens: that folder, or a workspace file that names several. */
  readonly opened: string;
  /** What the window calls its folders. */
  readonly names: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Name of the socket or pipe on which the driver takes requests of the tests. */
  readonly channel: string;
  /** File that tells the mocha entry what to run: see phase.ts. */
  readonly plan: string;
  dispose(): void;
}

const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'update.mode': 'none',
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
};

/** `models` is the folder of the test models; the scenario sees it inside a cache root of its own, so that it shares no sidecar. */
export function createProfile(named: NamedScenario, models: string): Profile {
  const { scenario } = named;
  // Short, because sockets live below it and their paths may have 104 characters.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lp-'));
  const below = (name: string) => {
    const made = path.join(folder, name);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const cache = below('cache');
  const modelsHere = path.join(cache, 'models');
  if (scenario.models === 'none') fs.mkdirSync(modelsHere);
  else fs.symlinkSync(models, modelsHere, 'junction');

  const workspace = copyWorkspace(named, path.join(folder, 'workspace'));
  const paths: ScenarioPaths = { models: modelsHere, testModels: models, workspace };
  const userData = below('user-data');
  const settings = JSON.stringify({ ...quietSettings, ...scenario.settings?.(paths) });
  fs.mkdirSync(path.join(userData, 'User'));
  fs.writeFileSync(path.join(userData, 'User', 'settings.json'), settings);
  for (const [name, content] of Object.entries(scenario.userFiles ?? {})) fs.writeFileSync(path.join(userData, 'User', name), JSON.stringify(content));

  const channel = process.platform === 'win32' ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, 'driver.sock');
  const plan = path.join(folder, 'plan.json');
  const env: NodeJS.ProcessEnv = {
    ...cleanEnvironment(), HOME: below('home'), TMPDIR: below('tmp'), LOUPE_CACHE: cache, LOUPE_E2E_CHANNEL: channel, LOUPE_E2E_PLAN: plan,
    ...scenario.env?.(paths),
  };
  const name = path.basename(scenario.workspace ?? workspace);
  return {
    names: [name, ...Object.keys(scenario.alsoOpen ?? {})],
    folder, userData, extensions: below('extensions'), workspace, opened: openTogether(scenario, folder, { path: workspace, name }), env, channel, plan,
    dispose: () => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}

/** The environment without what an enclosing VS Code or desktop would pass on to the one under test. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const dropped = ['PORT', 'PASSWORD', 'HASHED_PASSWORD', 'NODE_OPTIONS', 'ELECTRON_RUN_AS_NODE'];
  return Object.fromEntries(Object.entries(process.env)
    .filter(([name]) => !dropped.includes(name) && !/^(VSCODE|XDG)_/.test(name)));
}

function copyWorkspace({ scenario, folder }: NamedScenario, target: string): string {
  const own = path.join(folder, 'workspace');
  const source = scenario.workspace ? path.join(root, scenario.workspace) : own;
  if (fs.existsSync(source)) fs.cpSync(source, target, { recursive: true });
  else if (scenario.workspace) throw new Error(`${source} does not exist`);
  else fs.mkdirSync(target);
  if (scenario.git) {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
    for (const args of [['init', '-q'], ['add', '-A'], [...identity, 'commit', '-qm', 'Start']]) execFileSync('git', args, { cwd: target });
  }
  return fs.realpathSync(target);
}

/** A workspace file for the folder and those of `alsoOpen`, where there are any. */
function openTogether(scenario: Scenario, folder: string, first: { path: string; name: string }): string {
  if (!scenario.alsoOpen) return first.path;
  const others = Object.entries(scenario.alsoOpen).map(([name, source]) => {
    const target = path.join(path.dirname(first.path), name);
    fs.cpSync(path.join(root, source), target, { recursive: true });
    return { path: target, name };
  });
  const file = path.join(folder, 'together.code-workspace');
  fs.writeFileSync(file, JSON.stringify({ folders: [first, ...others] }));
  return fs.realpathSync(file);
}
