// Mocha's spec reporter, which also writes the totals and what failed to the file LOUPE_TOTALS: mocha's exit status alone cannot be added up.
'use strict';
const fs = require('node:fs');
const { reporters: { Spec } } = require('mocha');
const { failureLine } = require('./failureLine.cjs');

class TotalsReporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [], took = [];
    runner.on('test end', test => took.push({ title: test.fullTitle(), ms: test.duration ?? 0 }));
    runner.on('fail', (test, error) => failures.push(failureLine(test, error)));
    runner.once('end', () => {
      const { passes, failures: failed, pending } = runner.stats;
      const slowest = took.filter(({ ms }) => ms > 2000).sort((a, b) => b.ms - a.ms).slice(0, 15);
      for (const { title, ms } of slowest) console.log(`${String(Math.round(ms / 1000)).padStart(5)} s  ${title}`);
      if (process.env.LOUPE_TOTALS) {
        fs.writeFileSync(process.env.LOUPE_TOTALS, JSON.stringify({ passed: passes, failed, skipped: pending, failures }));
      }
    });
  }
}

module.exports = TotalsReporter;
