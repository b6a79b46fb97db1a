package sandbox

import (
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// Span is a part of a call as the function itself has timed it, through Backstage.span. All of it is the function's
// word; its sizes are bounded, and a call has at most 65.
type Span struct {
	// Number tells the spans of a call apart; Parent, which is lower, is the number of the span that it is a part of.
	// Number 0 is the call itself and has tags only.
	Number, Parent int
	Name           string
	// Start is the time from the begin of the call in its worker.
	Start, Duration time.Duration
	Tags            []Tag
}

// Tag is what a function says of a span.
type Tag struct {
	Key string
	// Value is a string, a float64 or a bool.
	Value any
}

func spanOf(f *wire.Frame) Span {
	s := Span{
		Number: f.Span, Parent: f.Parent, Name: f.Name, Start: wire.Millis(f.Start), Duration: wire.Millis(f.Duration),
	}
	for _, tag := range f.Tags {
		s.Tags = append(s.Tags, Tag{Key: tag[0].(string), Value: tag[1]})
	}
	return s
}
