// VS Code calls run() in its extension host, on the desktop and in code-server alike. CommonJS, because both can load that.
'use strict';
const fs = require('node:fs');
const util = require('node:util');
const { failureLine } = require('../../../scripts/lib/failureLine.cjs');
const loaded = require('mocha');
const Mocha = loaded.default ?? loaded; // an ES module: how require() gives it depends on Node's release

/** A workspace file is read some time after the window is there; see `rememberFolders` in browser.ts for what can go wrong. */
async function hasFolders(count) {
  if (count < 2) return true;
  const vscode = require('vscode');
  for (let waited = 0; waited < 20_000; waited += 100) {
    if (vscode.workspace.workspaceFolders?.length === count) return true;
    await new Promise(resolve => { setTimeout(resolve, 100); });
  }
  return false;
}

exports.run = async function run() {
  const { files, results, folders, grep } = JSON.parse(fs.readFileSync(process.env.LOUPE_E2E_PLAN, 'utf8'));
  if (!(await hasFolders(folders))) {
    fs.writeFileSync(`${results}.no-folders`, '');
    throw new Error('the window has no folders');
  }
  // The extension host's console goes to the workbench; the terminal that started the tests reads this file.
  Mocha.reporters.Base.consoleLog = (...args) => fs.appendFileSync(`${results}.log`, `${util.format(...args)}\n`);
  const mocha = new Mocha({ ui: 'tdd', timeout: 60_000, color: false, reporter: 'spec', forbidOnly: true });
  if (grep) mocha.grep(grep);
  for (const file of files) mocha.addFile(file);

  const failures = [];
  const totals = await new Promise(resolve => {
    const runner = mocha.run(() => resolve({ passed: runner.stats.passes, failed: runner.stats.failures, skipped: runner.stats.pending, failures }));
    runner.on('fail', (test, error) => failures.push(failureLine(test, error)));
  });
  fs.writeFileSync(`${results}.tmp`, JSON.stringify(totals));
  fs.renameSync(`${results}.tmp`, results);
  if (totals.failed > 0) throw new Error(`${totals.failed} tests failed`);
};
