// A failed test on one line, for the summary at the end of a run: there its whole output may be out of reach. CommonJS, because editors load it too.
'use strict';

const cut = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text);
const shown = value => cut(typeof value === 'string' ? value : JSON.stringify(value) ?? String(value), 300);

exports.failureLine = (test, error) => {
  const compared = error !== null && typeof error === 'object' && 'actual' in error && 'expected' in error;
  const values = compared ? ` [actual ${shown(error.actual)}; expected ${shown(error.expected)}]` : '';
  return `${test.fullTitle()}: ${cut(String(error?.message ?? error), 400)}${values}`.replace(/\s+/g, ' ');
};
