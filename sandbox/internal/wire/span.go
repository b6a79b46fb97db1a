package wire

import "errors"

var errSpanSize = errors.New("wire: span is too large")

// span reads the members of a span: of number 0 its tags alone.
func (s *scanner) span(f *Frame) {
	s.literal(`,"span":`)
	f.Span = s.integer()
	if f.Span != 0 {
		s.literal(`,"parent":`)
		f.Parent = s.integer()
		s.literal(`,"name":`)
		f.Name = s.text(maxSpanName)
		s.literal(`,"start":`)
		f.Start = s.positive("start")
		s.literal(`,"duration":`)
		f.Duration = s.positive("duration")
	}
	if s.err == nil && (f.Span < 0 || f.Span > MaxSpans || f.Parent < 0 || f.Parent >= max(f.Span, 1)) {
		s.fail("impossible span %d below %d", f.Span, f.Parent)
	}
	s.literal(`,"tags":`)
	f.Tags = s.tags()
	if s.err == errTextSize { //nolint:errorlint // as made by text
		s.err = errSpanSize
	}
}

func (s *scanner) tags() [][2]any {
	var list [][2]any
	s.literal("[")
	for s.err == nil && !s.accept("]") {
		if len(list) > 0 {
			s.literal(",")
		}
		if len(list) == maxTags {
			s.err = errSpanSize
			break
		}
		s.literal("[")
		key := s.text(maxTagKey)
		s.literal(",")
		value := s.tag()
		s.literal("]")
		list = append(list, [2]any{key, value})
	}
	return list
}

// tag reads the value of a tag.
func (s *scanner) tag() any {
	switch {
	case len(s.rest) == 0:
		s.errForm("a tag")
		return nil
	case s.rest[0] == '"':
		return s.text(maxTagText)
	case s.rest[0] == 't' || s.rest[0] == 'f':
		return s.boolean()
	default:
		return s.number()
	}
}
