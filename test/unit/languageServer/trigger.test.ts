import assert from 'node:assert/strict';
import { isLanguageEnabled } from '../../../src/languageServer/inline/languages.js';
import { type Skip, whySkip } from '../../../src/languageServer/inline/trigger.js';
import { at } from '../../support/languageServer/at.js';

suite('inline: where a suggestion is asked for', () => {
  const check = (marked: string, expected: Skip | undefined, options: { invoked?: boolean; languageId?: string } = {}): void => {
    test(`${JSON.stringify(marked)}${options.invoked ? ' (invoked)' : ''} -> ${expected ?? 'ask'}`, () => {
      assert.equal(whySkip(at(marked, options.languageId), options.invoked ?? false), expected);
    });
  };
  check('const a = |', undefined);
  check('const a = |;', undefined);
  check('call(a, |)', undefined);
  check('call(|))))))))));', undefined);
  check('const tot|al = 1;', 'midWord');
  check('const tot|al = 1;', 'midWord', { invoked: true });
  check('if (|) return somethingLong;', 'textRight');
  check('if (|) return somethingLong;', undefined, { invoked: true });
  check('x = | + 1;', undefined);
  check('|', 'emptyFile');
  check('\n\n|\n', 'emptyFile');
  check('\n|', undefined, { invoked: true });
  check('// Copyright\n// All rights |', 'commentsOnly');
  check('# just notes\n# and |', 'commentsOnly', { languageId: 'python' });
  check('// Copyright\n|', undefined);
  check('// adds two numbers\n// and |\nfunction add() {}', undefined);
});

suite('inline: languages', () => {
  const check = (languageId: string, languages: Record<string, boolean>, expected: boolean): void => {
    test(`${languageId} in ${JSON.stringify(languages)} -> ${expected}`, () => assert.equal(isLanguageEnabled(languageId, languages), expected));
  };
  check('python', { '*': true }, true);
  check('markdown', { '*': true, markdown: false }, false);
  check('python', { '*': false, python: true }, true);
  check('go', { '*': false, python: true }, false);
  check('go', {}, true);
  check('constructor', { '*': false }, false);
});
