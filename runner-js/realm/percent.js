'use strict';

// Percent-encoding (RFC 3986).

const { fromCharCode } = String;
const { textOf, ofBytewise } = require('./bytes');

// decoded decodes text, or returns it as it is if it cannot be decoded.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    return text;
  }
}

// decodedBytes takes text with one character per byte, and decodes what it can: what then is not UTF-8 becomes U+FFFD.
function decodedBytes(text) {
  return textOf(ofBytewise(text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits) => fromCharCode(parseInt(digits, 16)))));
}

module.exports = { decoded, decodedBytes };
