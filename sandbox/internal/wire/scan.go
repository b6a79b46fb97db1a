package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/backstage/functions/sandbox/rawjson"
)

// scanner reads the pieces of a frame off the front of rest. It keeps the first fault; every method gives a zero after that. What it costs
// is proportional to the bytes that it has read, whoever wrote them.
type scanner struct {
	rest []byte
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("wire: "+format, args...)
	}
}

// errForm is the fault of most lines that are no frames.
func (s *scanner) errForm(want string) {
	if s.err == nil {
		s.fail("want %s, not %.40q", want, s.rest[:min(len(s.rest), 40)])
	}
}

func (s *scanner) literal(text string) {
	if !s.accept(text) {
		s.errForm(text)
	}
}

// accept passes text if it comes next, and says whether it did.
func (s *scanner) accept(text string) bool {
	if s.err != nil || len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

// end requires that nothing is left.
func (s *scanner) end() {
	if len(s.rest) > 0 {
		s.errForm("the end")
	}
}

func (s *scanner) boolean() bool {
	if s.accept("true") {
		return true
	}
	if !s.accept("false") {
		s.errForm("true or false")
	}
	return false
}

// digits passes what could be a number. No number that is needed is longer.
func (s *scanner) digits() []byte {
	const longest = 32
	n := 0
	for n < min(len(s.rest), longest) && isNumeric(s.rest[n]) {
		n++
	}
	if s.err != nil || n == 0 {
		s.errForm("a number")
		return nil
	}
	digits := s.rest[:n]
	s.rest = s.rest[n:]
	return digits
}

func isNumeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// integer reads a whole number in the form that has no other.
func (s *scanner) integer() int {
	digits := s.digits()
	if s.err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(digits))
	if err != nil || !rawjson.Scan(digits, 0).OK {
		s.fail("%q is no whole number", digits)
	}
	return n
}

func (s *scanner) number() float64 {
	digits := s.digits()
	if s.err != nil {
		return 0
	}
	x, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || !rawjson.Scan(digits, 0).OK {
		s.fail("%q is no number", digits)
	}
	return x
}

// positive reads a number of 0 or more; what names it.
func (s *scanner) positive(what string) float64 {
	x := s.number()
	if x < 0 {
		s.fail("negative %s %v", what, x)
	}
	return x
}

// text reads a string of at most limit bytes, not yet unescaped.
func (s *scanner) text(limit int) string {
	s.literal(`"`)
	if s.err != nil {
		return ""
	}
	plain := true
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			raw := s.rest[:i]
			s.rest = s.rest[i+1:]
			return s.textOf(raw, plain, limit)
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			s.fail("control character in a text")
			return ""
		}
	}
	s.fail("a text without its end")
	return ""
}

func (s *scanner) textOf(raw []byte, plain bool, limit int) string {
	if len(raw) > escaped*limit { // it is too long whatever stands there
		s.err = errTextSize
		return ""
	}
	if !plain {
		var ok bool
		if raw, ok = unescape(raw); !ok {
			s.fail("a wrong escape in a text")
			return ""
		}
	}
	if len(raw) > limit {
		s.err = errTextSize
		return ""
	}
	return string(raw)
}

var errTextSize = errors.New("wire: a text is too long")

// unescape returns what the inside of a JSON string stands for: RFC 8259, section 7. Half of a surrogate pair becomes U+FFFD.
func unescape(raw []byte) ([]byte, bool) {
	text := make([]byte, 0, len(raw))
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return append(text, raw...), true
		}
		text = append(text, raw[:at]...)
		raw = raw[at+1:]
		if len(raw) == 0 {
			return nil, false
		}
		c := raw[0]
		if raw = raw[1:]; c == 'u' {
			r, size := surrogates(raw)
			if size == 0 {
				return nil, false
			}
			text = utf8.AppendRune(text, r)
			raw = raw[size:]
			continue
		}
		plain := unescaped(c)
		if plain == 0 {
			return nil, false
		}
		text = append(text, plain)
	}
}

// unescaped is what c stands for behind a backslash; 0 for nothing.
func unescaped(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// surrogates reads the digits behind \u and, if they are the first half of a pair, the second half. Size is how many bytes that were; 0 for
// a fault.
func surrogates(raw []byte) (r rune, size int) {
	const digits = 4
	first, ok := hex(raw)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, digits
	}
	if rest, found := bytes.CutPrefix(raw[digits:], []byte(`\u`)); found {
		if second, ok := hex(rest); ok {
			if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
				return pair, digits + len(`\u`) + digits
			}
		}
	}
	return utf8.RuneError, digits
}

// hex reads four hexadecimal digits.
func hex(raw []byte) (rune, bool) {
	if len(raw) < 4 {
		return 0, false
	}
	n := rune(0)
	for _, c := range raw[:4] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
