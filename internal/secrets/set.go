package secrets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Set are the secrets that a call gets. It does not change. Nil stands for none.
type Set struct {
	// Values is a JSON object of their names and values.
	Values json.RawMessage
	// Tag is another text for other values, and tells nothing of them.
	Tag string

	masker *strings.Replacer
}

// newSet makes one of names and their values.
func newSet(names, values []string) *Set {
	o := rawjson.NewObject(nil)
	for i, name := range names {
		o.String(name, values[i])
	}
	s := &Set{Values: o.End(), masker: newMasker(values)}
	sum := sha256.Sum256(append(tagKey[:], s.Values...))
	s.Tag = hex.EncodeToString(sum[:])
	return s
}

// bytes is about how much memory s takes. Each value is looked for in a dozen forms.
func (s *Set) bytes() int64 {
	const forms = 16
	return setOverhead + forms*int64(len(s.Values))
}

const setOverhead = 4 << 10

// Text is text with Mask in place of the values.
func (s *Set) Text(text string) string {
	if s == nil || s.masker == nil {
		return text
	}
	return s.masker.Replace(text)
}

// JSON is Text for a JSON text, which it stays.
func (s *Set) JSON(text json.RawMessage) json.RawMessage {
	if s == nil || s.masker == nil {
		return text
	}
	masked := json.RawMessage(s.masker.Replace(string(text)))
	if !json.Valid(masked) { // the value was that of a number
		return json.RawMessage(`"` + Mask + `"`)
	}
	return masked
}

// Line is line with Mask in place of the values.
func (s *Set) Line(line sandbox.LogLine) sandbox.LogLine {
	line.Text = s.Text(line.Text)
	return line
}

// Span is span with Mask in place of the values. It shares nothing that it has changed.
func (s *Set) Span(span sandbox.Span) sandbox.Span {
	if s == nil || s.masker == nil {
		return span
	}
	span.Name = s.Text(span.Name)
	tags := make([]sandbox.Tag, len(span.Tags))
	for i, tag := range span.Tags {
		tags[i] = sandbox.Tag{Key: s.Text(tag.Key), Value: tag.Value}
		if text, ok := tag.Value.(string); ok {
			tags[i].Value = s.Text(text)
		}
	}
	span.Tags = tags
	return span
}

// Error is err with Mask in place of the values in what a function has thrown, or has left when it died. It shares
// nothing with err that it has changed.
func (s *Set) Error(err error) error {
	if s == nil || s.masker == nil || err == nil {
		return err
	}
	switch err := err.(type) { //nolint:errorlint // what wraps it could not be wrapped again
	case *sandbox.StreamError:
		masked := *err
		masked.Err = s.Error(err.Err)
		return &masked
	case *sandbox.FunctionError:
		masked := *err
		masked.Message, masked.Text = s.Text(err.Message), s.Text(err.Text)
		masked.Stack, masked.Frames = s.Text(err.Stack), s.Text(err.Frames)
		return &masked
	case *sandbox.DeathError:
		masked := *err
		masked.Detail = s.Text(err.Detail)
		return &masked
	}
	return err
}
