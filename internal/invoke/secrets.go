package invoke

import (
	"encoding/json"

	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/sandbox"
)

// giveSecrets hands inv what the function asks for, which is there for this call alone. What top-level code that runs
// once makes of it is for those values: others have another worker.
func giveSecrets(inv *sandbox.Invocation, given *secrets.Set) {
	if given == nil {
		return
	}
	inv.Secrets = given.Values
	if inv.Once {
		inv.Key += "\x00\x00" + given.Tag
	}
}

// masked is to with the values masked in what it gets; nil for nil.
func masked(to func(sandbox.Span), given *secrets.Set) func(sandbox.Span) {
	if to == nil || given == nil {
		return to
	}
	return func(span sandbox.Span) { to(given.Span(span)) }
}

// masks hide the values of the secrets that the steps of a pipeline have been given so far.
type masks []*secrets.Set

// with adds given, which may be nil, and returns all. A nil m has no others.
func (m *masks) with(given *secrets.Set) masks {
	if m == nil {
		m = new(masks)
	}
	if given != nil {
		*m = append(*m, given)
	}
	return *m
}

// JSON is a JSON text, which it stays, with the values masked.
func (m masks) JSON(text json.RawMessage) json.RawMessage {
	for _, set := range m {
		text = set.JSON(text)
	}
	return text
}
