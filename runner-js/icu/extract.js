'use strict';

// Takes ICU's tables of time zones out of a binary that has all of ICU's data in it: node extract.js BINARY DIRECTORY

const fs = require('fs');
const path = require('path');

const TABLES = ['metaZones.res', 'timezoneTypes.res', 'windowsZones.res', 'zoneinfo64.res'];

// The data is a header with the mark CmnD at its twelfth byte, then the number of items, then where the name and the
// bytes of each begin.
function itemsOf(bytes, header) {
  const start = header + bytes.readUInt16LE(header);
  const at = (index, field) => bytes.readUInt32LE(start + 4 + 8 * index + 4 * field);
  const count = bytes.readUInt32LE(start);
  return Array.from({ length: count }, (_, i) => {
    const name = start + at(i, 0);
    return {
      name: path.basename(bytes.toString('latin1', name, bytes.indexOf(0, name))),
      content: bytes.slice(start + at(i, 1), i + 1 < count ? start + at(i + 1, 1) : undefined),
    };
  });
}

function headerOf(bytes) {
  for (let mark = bytes.indexOf('CmnD'); mark >= 0; mark = bytes.indexOf('CmnD', mark + 1)) {
    if (bytes.readUInt16LE(mark - 10) === 0x27da) return mark - 12;
  }
  throw new Error('there is no data of ICU in it');
}

const [binary, directory] = process.argv.slice(2);
const bytes = fs.readFileSync(binary);
for (const { name, content } of itemsOf(bytes, headerOf(bytes))) {
  if (TABLES.includes(name)) fs.writeFileSync(path.join(directory, name), content);
}
