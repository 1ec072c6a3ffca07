import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CommandDefinition, commands, contextKeys, viewContainers, views } from '../../../src/protocol/commands.js';
import { restrictedSettings, type SettingDefinition, settings } from '../../../src/protocol/settings.js';

/** The repository's root: tests run from there, compiled or not. */
const root = resolve('.');

interface Command { command: string; title: string; category: string; icon?: string }
interface MenuItem { command?: string; submenu?: string; when?: string }
interface Property {
  type: string; default: unknown; scope: string; enum?: string[]; minimum?: number; maximum?: number; markdownDescription: string;
}
interface Step { description: string; media: { markdown: string }; completionEvents: string[] }
interface Manifest {
  main: string;
  icon: string;
  activationEvents: string[];
  capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] }; virtualWorkspaces: { supported: boolean } };
  contributes: {
    commands: Command[];
    configuration: { properties: Record<string, Property> };
    viewsContainers: Record<string, { id: string; icon: string }[]>;
    views: Record<string, { id: string; type: string; icon: string }[]>;
    menus: Record<string, MenuItem[]>;
    submenus: { id: string }[];
    keybindings: { command: string; when?: string }[];
    walkthroughs: { steps: Step[] }[];
  };
}

suite('package.json repeats the tables of src/protocol', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const { contributes } = manifest;
  const definitions: Record<string, CommandDefinition> = commands;

  test('commands: same ids, titles, icons, one category', () => {
    const expected = Object.entries(definitions).map(([command, { title, icon }]) =>
      ({ command, category: 'Loupe', title, ...(icon ? { icon } : {}) }));
    assert.deepEqual(contributes.commands, expected);
  });

  test('commands that are not for the palette are hidden there, and only those', () => {
    const hidden = Object.entries(definitions).filter(([, c]) => !c.palette).map(([id]) => id).sort();
    const hiddenInManifest = (contributes.menus['commandPalette'] ?? []).filter((m) => m.when === 'false').map((m) => m.command).sort();
    assert.deepEqual(hiddenInManifest, hidden);
  });

  test('menus, keybindings and walkthrough name commands that exist', () => {
    const submenus = new Set(contributes.submenus.map((s) => s.id));
    for (const [menu, items] of Object.entries(contributes.menus)) {
      if (menu.startsWith('loupe.')) assert.ok(submenus.has(menu), `${menu} is not a submenu`);
      for (const item of items) {
        if (item.command !== undefined) assert.ok(item.command in definitions, `${menu}: ${item.command}`);
        else assert.ok(submenus.has(item.submenu ?? ''), `${menu}: ${item.submenu}`);
      }
    }
    for (const { command } of contributes.keybindings) assert.ok(command in definitions, command);
    for (const step of contributes.walkthroughs.flatMap((w) => w.steps)) {
      for (const event of step.completionEvents) assert.ok(event.replace('onCommand:', '') in definitions, event);
      for (const [, id] of step.description.matchAll(/\(command:([^)]+)\)/g)) assert.ok((id as string) in definitions, id);
    }
  });

  test('settings: same keys, types, defaults, scopes, enums, limits and descriptions', () => {
    const table: Record<string, SettingDefinition> = settings;
    assert.deepEqual(Object.keys(contributes.configuration.properties), Object.keys(table));
    for (const [key, s] of Object.entries(table)) {
      const p = contributes.configuration.properties[key] as Property;
      assert.equal(p.type, s.type, key);
      assert.deepEqual(p.default, s.default, key);
      assert.equal(p.scope, s.scope, key);
      assert.equal(p.markdownDescription, s.description, key);
      assert.deepEqual(p.enum, s.type === 'string' ? s.enum && [...s.enum] : undefined, key);
      assert.equal(p.minimum, s.type === 'number' ? s.minimum : undefined, key);
      assert.equal(p.maximum, s.type === 'number' ? s.maximum : undefined, key);
    }
  });

  test('workspace trust: limited, with exactly the restricted settings of the table', () => {
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, [...restrictedSettings]);
    assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
  });

  test('views and their containers', () => {
    assert.deepEqual(contributes.viewsContainers['secondarySidebar']?.map((c) => c.id), [viewContainers.chat]);
    assert.deepEqual(contributes.viewsContainers['panel']?.map((c) => c.id), [viewContainers.trace]);
    assert.deepEqual(contributes.views[viewContainers.chat]?.map((v) => [v.id, v.type]), [[views.chat, 'webview']]);
    assert.deepEqual(contributes.views[viewContainers.trace]?.map((v) => [v.id, v.type]), [[views.trace, 'webview']]);
  });

  test('every when clause uses only our context keys of the table', () => {
    const known = new Set<string>([...Object.values(contextKeys), ...Object.values(views)]);
    const clauses = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map((i) => i.when ?? '');
    for (const clause of clauses) {
      for (const [key] of clause.matchAll(/\bloupe\.\w+/g)) assert.ok(known.has(key), `${key} in "${clause}"`);
    }
  });

  test('pictures and walkthrough pages are in the repository', () => {
    const files = [
      manifest.icon,
      ...Object.values(contributes.viewsContainers).flat().map((c) => c.icon),
      ...Object.values(contributes.views).flat().map((v) => v.icon),
      ...contributes.walkthroughs.flatMap((w) => w.steps).map((s) => s.media.markdown),
    ];
    for (const file of files) assert.ok(existsSync(join(root, file)), file);
  });
});
