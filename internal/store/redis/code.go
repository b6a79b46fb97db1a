package redis

import (
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Backstage Functions appends its own call of main to the stored code, on the same line. After a comment that call is
// lost, and after an expression without a semicolon, such as that of a const, it is a syntax error. So that code runs
// there too, after a rollback, it is stored with a line break at its end. The hash is that of the code without it,
// which tells the two forms apart.

// storedCode is how code stands in Redis.
func storedCode(code string) string {
	if endsLine(code) {
		return code
	}
	return code + "\n"
}

// givenCode is the inverse of storedCode. Code that another program wrote has the hash of all of it, and is returned
// as it stands.
func givenCode(stored, hash string) string {
	code, ended := strings.CutSuffix(stored, "\n")
	if !ended || endsLine(code) || hash == "" || function.HashOf(code) != hash {
		return stored
	}
	return code
}

// endsLine says whether what stands behind code is on a line of its own (ECMA-262, LineTerminator).
func endsLine(code string) bool {
	for _, end := range []string{"\n", "\r", "\u2028", "\u2029"} {
		if strings.HasSuffix(code, end) {
			return true
		}
	}
	return false
}
