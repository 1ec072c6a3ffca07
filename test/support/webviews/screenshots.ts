import fs from 'node:fs';
import path from 'node:path';
import { approvalScene, askScene, checkingScene, emptyScene, errorScene, historyScene, noModelScene, runningScene, traceScene, untrustedScene } from './scenes.js';
import { buildViews, launch, openView, type Theme, themes } from './harness.js';

/** Pictures of the views for a person to look at: `node out/test/support/webviews/screenshots.js FOLDER [theme]`. */
const [folder = 'test-results/webviews', only] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });
await buildViews();
const browser = await launch();
const chatScenes = { ask: askScene, approval: approvalScene, running: runningScene, empty: emptyScene, noModel: noModelScene, checking: checkingScene, untrusted: untrustedScene, error: errorScene, history: historyScene };
try {
  for (const theme of themes.filter((name): name is Theme => only === undefined || name === only)) {
    for (const [name, scene] of Object.entries(chatScenes)) {
      const view = await openView(browser, 'chat', { theme });
      await scene(view);
      await view.page.screenshot({ path: path.join(folder, `chat-${name}-${theme}.png`) });
      await view.close();
    }
    for (const running of [false, true]) {
      const view = await openView(browser, 'trace', { theme, width: 1000, height: 420 });
      await traceScene(view, running);
      await view.page.screenshot({ path: path.join(folder, `trace${running ? '-running' : ''}-${theme}.png`) });
      await view.close();
    }
    for (const [name, scene] of Object.entries({ ask: askScene, approval: approvalScene, checking: checkingScene })) {
      const view = await openView(browser, 'chat', { theme, width: 300 });
      await scene(view);
      await view.page.screenshot({ path: path.join(folder, `chat-${name}-narrow-${theme}.png`) });
      await view.close();
    }
    for (const [name, width] of [['panel', 730], ['narrow', 300]] as const) {
      const view = await openView(browser, 'trace', { theme, width, height: 600 });
      await traceScene(view, true);
      await view.page.screenshot({ path: path.join(folder, `trace-${name}-${theme}.png`) });
      await view.close();
    }
  }
} finally {
  await browser.close();
}
