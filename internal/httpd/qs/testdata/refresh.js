'use strict'

// Writes golden.json anew: asks the real qs what each query in it means.
// Run with Node.js 8 where "npm install qs@6.2.0" was run: node refresh.js golden.json

const fs = require('fs')
const qs = require('qs')

const file = process.argv[2]
const lines = JSON.parse(fs.readFileSync(file, 'utf8')).map(({ group, query }) => {
  const want = JSON.stringify(qs.parse(query, { allowPrototypes: true }))
  return '  ' + JSON.stringify({ group, query, want })
})
fs.writeFileSync(file, '[\n' + lines.join(',\n') + '\n]\n')
