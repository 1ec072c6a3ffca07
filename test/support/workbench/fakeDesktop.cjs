#!/usr/bin/env node
// Stands in for desktop VS Code and for its command line in the tests of the desktop runner: notes how it was started, and as the
// editor runs the mocha entry that it was given, as VS Code would in its extension host. `FAKE_MODE` says how it ends.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const args = process.argv.slice(2);
const value = name => args.find(arg => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
fs.appendFileSync(process.env.FAKE_RECORD, `${JSON.stringify({ program: path.basename(process.argv[1]), args, env: process.env })}\n`);

const entry = value('extensionTestsPath');
if (entry !== undefined && process.env.FAKE_MODE === 'hang') setInterval(() => undefined, 1000);
else if (entry !== undefined) require(entry).run().then(() => process.exit(0), error => { console.error(error); process.exit(1); });
