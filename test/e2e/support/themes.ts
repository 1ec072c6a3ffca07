import { screenshot } from '../../support/workbench/page.js';
import { settled, setUserSettings } from './chatPage.js';

const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern', contrast: 'Default High Contrast' } as const;

/** A picture in each theme; the dark one stays. */
export async function inThemes(name: string): Promise<void> {
  for (const [kind, theme] of Object.entries(themes)) {
    await setUserSettings({ 'workbench.colorTheme': theme });
    await settled();
    await screenshot(`${name}-${kind}`);
  }
  await setUserSettings({ 'workbench.colorTheme': themes.dark });
}
