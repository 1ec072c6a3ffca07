import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { clearNotices, noticeWith } from '../support/notices.js';

/** The phase before has switched Git off: that takes a reload. */
suite('without git', function () {
  this.timeout(60_000);
  teardown(clearNotices);

  for (const command of ['loupe.commitMessage', 'loupe.reviewChanges']) {
    test(`${command} says what is missing and what to do`, async () => {
      void vscode.commands.executeCommand(command);
      assert.match(await noticeWith('Git is switched off'), /git\.enabled/);
      await screenshot(`no-git-${command.slice('loupe.'.length)}`);
    });
  }
});
