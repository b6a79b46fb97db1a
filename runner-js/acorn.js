'use strict';

// The parser of the runner, acorn, which is loaded when it is first needed: most workers never do.

const fs = require('fs');
const path = require('path');

const FILE = path.join(__dirname, 'node_modules', 'acorn', 'dist', 'acorn.js');

// acorn returns the parser; null if the runner's modules are not installed.
module.exports = () => (fs.existsSync(FILE) ? require(FILE) : null);
