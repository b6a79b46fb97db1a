'use strict';

// The parts of a body of type multipart/form-data (RFC 7578), which is all there.

const { BadRequest } = require('./errors');
const { ofText, part, find, textOf } = require('./bytes');
const { decoded } = require('./percent');
const parseType = require('./mediatype');
const tooLarge = require('./toolarge');

const MOST_HEADERS = 8 * 1024; // bytes of one part's headers
const BOUNDARY = /^[ -~]{0,69}[!-~]$/; // RFC 2046 allows fewer characters; some clients use others
const BLANK_LINE = ofText('\r\n\r\n');
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^]*)$/;

const CR = 13;
const LF = 10;
const DASH = 45;

function broken(how) {
  return new BadRequest(`the form is broken: ${how}`);
}

// parse returns pairs of a name and a value, at most most of them: text, or {name, filename, type, bytes} for a file.
function parse(bytes, boundary, most) {
  if (!BOUNDARY.test(boundary || '')) throw broken('its type names no boundary of 1 to 70 characters');
  const delimiter = ofText(`\r\n--${boundary}`);
  const fields = [];
  const first = delimiter.length - 2;
  const begins = find(part(bytes, 0, first), part(delimiter, 2, delimiter.length), 0) === 0;
  let at = (begins && after(bytes, first)) || next(bytes, delimiter, 0).after;
  while (!at.last) {
    if (fields.length === most) throw tooLarge(`the form has more than ${most} fields`);
    const headers = headersOf(bytes, at.start);
    const end = next(bytes, delimiter, headers.end - 2); // the blank line's own line break may begin the delimiter
    fields.push(fieldOf(headers.lines, part(bytes, headers.end, Math.max(headers.end, end.at))));
    at = end.after;
  }
  return fields;
}

// next is the next delimiter from start on: where it begins, and what comes after it.
function next(bytes, delimiter, start) {
  for (let at = find(bytes, delimiter, start); at >= 0; at = find(bytes, delimiter, at + 1)) {
    const rest = after(bytes, at + delimiter.length);
    if (rest !== null) return { at, after: rest };
  }
  throw broken('it has no end');
}

// after says what comes after a delimiter that ends at start: the last one has two dashes, and any other a line break,
// perhaps after spaces. If nothing of that comes, the text is that of a part, and after returns null.
function after(bytes, start) {
  if (bytes[start] === DASH && bytes[start + 1] === DASH) return { last: true, start };
  let at = start;
  while (bytes[at] === 32 || bytes[at] === 9) at++;
  return bytes[at] === CR && bytes[at + 1] === LF ? { last: false, start: at + 2 } : null;
}

// headersOf reads the headers of the part that begins at start. end is where its content begins.
function headersOf(bytes, start) {
  if (bytes[start] === CR && bytes[start + 1] === LF) throw broken('a part has no headers');
  const end = find(part(bytes, start, start + MOST_HEADERS + BLANK_LINE.length), BLANK_LINE, 0);
  if (end < 0 && bytes.length - start <= MOST_HEADERS) throw broken('the headers of a part have no end');
  if (end < 0) throw tooLarge(`a part of the form has more than ${MOST_HEADERS} bytes of headers`);
  return { lines: textOf(part(bytes, start, start + end)).split('\r\n'), end: start + end + BLANK_LINE.length };
}

function fieldOf(lines, content) {
  const headers = Object.create(null);
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match === null) throw broken('a part has a line that is no header');
    headers[match[1].toLowerCase()] = match[2].trim();
  }
  const { type, parameters } = parseType(headers['content-disposition']);
  if (type !== 'form-data' || parameters.name === undefined) throw broken('a part has no name');
  const name = unescaped(parameters.name);
  const filename = filenameOf(parameters);
  if (filename === undefined) return [name, textOf(content)];
  return [name, { name, filename, type: headers['content-type'] || 'application/octet-stream', bytes: content }];
}

// filenameOf is undefined for a part that is no file. Some clients write a name that is not ASCII as RFC 5987 says.
function filenameOf(parameters) {
  const [, encoded] = /^utf-8'[^']*'([^]*)$/i.exec(parameters['filename*'] || '') || [];
  if (encoded !== undefined) return decoded(encoded);
  return parameters.filename === undefined ? undefined : unescaped(parameters.filename);
}

// unescaped undoes what browsers write in names.
function unescaped(text) {
  return text.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');
}

module.exports = parse;
