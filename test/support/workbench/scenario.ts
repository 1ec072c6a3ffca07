import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.js';

/** Paths that settings and environment of a scenario may need; all absolute. */
export interface ScenarioPaths {
  /** The profile's models folder. */
  readonly models: string;
  /** Folder of the test models, also where the profile has none. */
  readonly testModels: string;
  /** The open folder: a copy that the tests may change. */
  readonly workspace: string;
}

/**
 * One workbench with one profile. Each folder below test/e2e that holds a scenario.ts exporting `scenario` is one;
 * it runs phase by phase. Between phases the page is closed and opened again on the same profile, as a reload does, and
 * the extension host is a new one.
 */
export interface Scenario {
  /** `<phase>.test.ts` in the scenario's folder, in order. */
  readonly phases: readonly string[];
  /** Folder to open, relative to the root of the checkout; it is copied. Default: `workspace` in the scenario's folder, or an empty one. */
  readonly workspace?: string;
  /** More folders to open beside it, by name, as one workspace; copied too. The first is then named after its source. */
  readonly alsoOpen?: Readonly<Record<string, string>>;
  /** true: the copy becomes a git repository with everything in one commit. */
  readonly git?: boolean;
  readonly settings?: (paths: ScenarioPaths) => Readonly<Record<string, unknown>>;
  /** More JSON files of the user, beside settings.json, by name. */
  readonly userFiles?: Readonly<Record<string, unknown>>;
  readonly env?: (paths: ScenarioPaths) => Readonly<Record<string, string>>;
  /** `restricted`: the workspace is not trusted and nothing asks. Default: trusted. */
  readonly trust?: 'trusted' | 'restricted';
  /** `none`: the models folder is empty. Default: the test models. */
  readonly models?: 'test' | 'none';
  /** false: Loupe is not installed. Default: it is. */
  readonly install?: boolean;
  /** true: runs only when it is asked for by name. */
  readonly onlyByName?: boolean;
  /** Longest time for one phase, in seconds. Default 180. */
  readonly timeoutSeconds?: number;
}

export interface NamedScenario {
  readonly name: string;
  readonly folder: string;
  readonly scenario: Scenario;
}

/** All scenarios, by name; `only` picks some by name. */
export async function loadScenarios(only: readonly string[]): Promise<readonly NamedScenario[]> {
  const folder = path.join(root, 'test', 'e2e');
  const names = fs.readdirSync(folder).filter(name => fs.existsSync(path.join(folder, name, 'scenario.ts'))).sort();
  const unknown = only.filter(name => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no scenario named ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const chosen = names.filter(name => only.length === 0 || only.includes(name));
  const all = await Promise.all(chosen.map(async name => {
    const compiled = path.join(root, 'out', 'test', 'e2e', name, 'scenario.js');
    const { scenario } = await import(pathToFileURL(compiled).href) as { scenario: Scenario };
    return { name, folder: path.join(folder, name), scenario };
  }));
  return all.filter(({ name, scenario }) => scenario.onlyByName !== true || only.includes(name));
}

/** The tests of one phase, bundled by scripts/lib/e2e.mjs: every extension host loads CommonJS, and `vscode` stays outside. */
export const phaseBundle = (scenario: NamedScenario, phase: string): string =>
  path.join(root, 'out', 'e2e', scenario.name, `${phase}.test.cjs`);
