// Mocha's spec reporter, which also writes the totals to the file LOUPE_TOTALS: mocha's exit status alone cannot be added up.
'use strict';
const fs = require('node:fs');
const { reporters: { Spec } } = require('mocha');

class TotalsReporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats;
      if (process.env.LOUPE_TOTALS) {
        fs.writeFileSync(process.env.LOUPE_TOTALS, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
      }
    });
  }
}

module.exports = TotalsReporter;
