package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/backstage/functions/sandbox/rawjson"
)

// What a worker writes is read in the very form in which the runner writes it, member by member, and in no other. There
// is no general decoder that a hostile line could keep busy.

// frameTypes are those that workers send, the most frequent ones first.
var frameTypes = []string{
	Result, Log, Pending, Span, Progress, Error, Oversize, Late, Done, Head, Chunk, End, Ready,
}

// head reads the beginning of a line up to the ID: the type of its frame. A frame that is not of the call named id, or
// that is not a ready frame when id is empty, ends the scan before anything else of it is looked at.
func (s *scanner) head(id string) (kind string) {
	s.literal(`{"type":"`)
	for _, known := range frameTypes {
		if n := len(known); len(s.rest) > n && s.rest[n] == '"' && string(s.rest[:n]) == known {
			kind = known
			s.rest = s.rest[n+1:]
			break
		}
	}
	switch {
	case s.err != nil:
	case kind == "":
		s.fail("unknown frame type %q", word(s.rest))
	case id == "" && kind != Ready:
		s.fail("%s frame before ready", kind)
	case id == "":
	case kind == Ready:
		s.fail("ready frame during call %q", id)
	default:
		s.literal(`,"id":"`)
		if s.err == nil && (!s.accept(id) || !s.accept(`"`)) {
			s.fail("%s frame of call %q during call %q", kind, word(s.rest), id)
		}
	}
	return kind
}

// word is the beginning of text up to a quote, for an error.
func word(text []byte) []byte {
	text = text[:min(len(text), 40)]
	if end := bytes.IndexByte(text, '"'); end >= 0 {
		return text[:end]
	}
	return text
}

// decode reads what follows the head of a whole line. When the line is the caller's to keep, the body may lie in it,
// else it is copied.
func decode(rest []byte, kind, id string, kept bool) (*Frame, error) {
	s := scanner{rest: rest}
	f := &Frame{Type: kind, ID: id}
	if !utf8.Valid(rest) {
		s.fail("not UTF-8")
	}
	switch kind {
	case Ready:
		s.ready(f)
	case Log:
		s.log(f)
	case Span:
		s.span(f)
	case Progress:
		s.progress(f)
	case Result:
		s.result(f, kept)
	case Error:
		s.error(f)
	case Oversize:
		s.outcome(f)
		s.literal(`,"size":`)
		f.Size = s.integer()
	case Late:
		s.literal(`,"late":`)
		f.Late = s.count()
	case Done:
		s.literal(`,"reusable":`)
		f.Reusable = s.boolean()
		if s.accept(`,"cut":`) {
			f.Cut = s.count()
		}
	case Head:
		s.status(f)
	case Chunk:
		s.chunk(f)
	case End:
		s.outcome(f)
	}
	if f.Type != Result {
		s.literal("}")
		s.end()
	}
	if s.err != nil {
		return nil, s.err
	}
	return f, nil
}

func (s *scanner) ready(f *Frame) {
	s.literal(`,"pid":`)
	f.PID = s.integer()
	s.literal(`,"node":`)
	f.Node = s.text(shortLine)
	if s.accept(`,"missing":`) {
		f.Missing = s.text(shortLine)
	}
}

func (s *scanner) progress(f *Frame) {
	s.literal(`,"part":`)
	if f.Part = s.positive("part"); f.Part > 1 {
		s.fail("part %v of one", f.Part)
	}
	s.literal(`,"text":`)
	f.Text = s.text(maxProgressText)
}

func (s *scanner) log(f *Frame) {
	s.literal(`,"level":`)
	f.Level = s.level()
	s.literal(`,"text":`)
	f.Text = s.text(len(s.rest))
	if strings.Contains(f.Text, "\n") {
		s.fail("line break in a log line")
	}
}

func (s *scanner) level() string {
	for _, level := range []string{"info", "error"} {
		if s.accept(`"` + level + `"`) {
			return level
		}
	}
	s.fail("unknown level %q", word(bytes.TrimPrefix(s.rest, []byte(`"`))))
	return ""
}

// outcome reads what every last frame begins with.
func (s *scanner) outcome(f *Frame) {
	s.literal(`,"reusable":`)
	f.Reusable = s.boolean()
	if s.accept(`,"cut":`) {
		f.Cut = s.count()
	}
	if s.accept(`,"late":`) {
		f.Late = s.count()
	}
	if s.accept(`,"load":`) {
		f.Load = s.positive("load time")
	}
}

// count reads how many pieces of work there are: one or more.
func (s *scanner) count() int {
	n := s.integer()
	if s.err == nil && (n < 1 || n > maxLeft) {
		s.fail("impossible count %d", n)
	}
	return n
}

func (s *scanner) result(f *Frame, kept bool) {
	s.outcome(f)
	s.status(f)
	if s.accept(`,"body":`) {
		f.Body = s.body(kept)
		return
	}
	if s.accept(`,"bytes":"`) {
		f.Bytes = s.bytes()
	}
	s.literal("}")
	s.end()
}

// status reads what an answer begins with.
func (s *scanner) status(f *Frame) {
	s.literal(`,"status":`)
	if f.Status = s.integer(); s.err == nil && !isStatus(f.Status) {
		s.fail("impossible status %d", f.Status)
	}
	s.literal(`,"headers":`)
	f.Headers = s.headers()
}

// body reads the value that is the rest but for the bracket at its end.
func (s *scanner) body(kept bool) []byte {
	body, found := bytes.CutSuffix(s.rest, []byte("}"))
	switch got := rawjson.Scan(body, maxDepth); {
	case found && got.OK && len(bytes.TrimSpace(body)) == len(body):
	case got.TooDeep:
		s.fail("the body is nested more than %d levels deep", maxDepth)
	default:
		s.fail("the body is not JSON")
	}
	if kept {
		return body
	}
	return slices.Clone(body)
}

func (s *scanner) error(f *Frame) {
	s.outcome(f)
	s.literal(`,"status":`)
	if f.Status = s.integer(); s.err == nil && f.Status != 0 && !isStatus(f.Status) {
		s.fail("impossible status %d", f.Status)
	}
	for _, member := range []struct {
		name string
		to   *string
	}{{"message", &f.Message}, {"text", &f.Text}, {"stack", &f.Stack}, {"frames", &f.Frames}} {
		s.literal(`,"` + member.name + `":`)
		*member.to = s.text(len(s.rest))
	}
	s.literal(`,"headers":`)
	f.Headers = s.headers()
}

func isStatus(n int) bool { return n >= 100 && n <= 999 }

// headers reads a list of pairs.
func (s *scanner) headers() [][2]string {
	list, left := [][2]string{}, MaxHeaderBytes
	s.literal("[")
	for s.err == nil && !s.accept("]") {
		if len(list) > 0 {
			s.literal(",")
		}
		if len(list) == MaxHeaderLines {
			s.fail("more than %d header lines", MaxHeaderLines)
			break
		}
		s.literal("[")
		name := s.text(left)
		s.literal(",")
		value := s.text(left)
		s.literal("]")
		left -= len(name) + len(value)
		switch {
		case s.err == errTextSize || s.err == nil && left < 0: //nolint:errorlint // as made above
			s.err = fmt.Errorf("wire: headers of more than %d bytes", MaxHeaderBytes)
		case s.err == nil && name == "":
			s.fail("header without a name")
		case strings.ContainsAny(name, lineBreakers) || strings.ContainsAny(value, lineBreakers):
			s.fail("control character in header %.40q", name)
		}
		list = append(list, [2]string{name, value})
	}
	return list
}

// lineBreakers would break out of a header line: RFC 9110, section 5.5.
const lineBreakers = "\r\n\x00"
