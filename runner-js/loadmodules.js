'use strict';

// Loads the modules that functions may require, as a worker does at its start, and says which cannot be loaded: for
// functions check-migration. The input is {"modules":[...],"dir":"..."}, the output {"missing":["name: cause", ...]}.

const { readFileSync } = require('fs');
const frame = require('./frame');
const lockdown = require('./lockdown');
const settle = require('./settle');

const { modules, dir } = JSON.parse(readFileSync(0, 'utf8'));
const { missing } = lockdown.apply(modules, dir);
settle(process._tickCallback, () => {
  const lines = [...missing].map(([name, cause]) => lockdown.told(name, cause));
  frame.write(1, `${JSON.stringify({ missing: lines })}\n`);
  frame.exit(0);
});
