package wire

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/backstage/functions/sandbox/rawjson"
)

// scanner reads the pieces of a frame off the front of rest. It keeps the first fault; every method gives a zero after
// that. What it costs is proportional to the bytes that it has read, whichever process wrote them.
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

// text reads a string that stands for at most limit bytes.
func (s *scanner) text(limit int) string {
	if s.err != nil || !rawjson.IsString(s.rest) {
		s.errForm(`"`)
		return ""
	}
	end, ok := rawjson.ScanString(s.rest)
	switch {
	case ok:
		quoted := s.rest[:end]
		s.rest = s.rest[end:]
		return s.unquote(quoted, limit)
	case end == len(s.rest):
		s.fail("a text without its end")
	case s.rest[end] < ' ':
		s.fail("control character in a text")
	default:
		s.fail("a wrong escape in a text")
	}
	return ""
}

func (s *scanner) unquote(quoted []byte, limit int) string {
	if len(quoted) > escaped*limit+len(`""`) { // it is too long whatever stands there
		s.err = errTextSize
		return ""
	}
	text := rawjson.Unquote(quoted)
	if len(text) > limit {
		s.err = errTextSize
		return ""
	}
	return text
}

var errTextSize = errors.New("wire: a text is too long")
