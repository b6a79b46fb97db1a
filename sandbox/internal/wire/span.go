package wire

import (
	"errors"
	"fmt"
)

// Limits on spans, so that a hostile worker cannot make the host keep much of them. MaxSpans are those of one call, beside its own. The runner
// cuts texts at as many UTF-16 units as stand here before the factor; in UTF-8 each takes three bytes at most.
const (
	MaxSpans    = 64
	maxTags     = 16
	maxSpanName = 3 * 128
	maxTagKey   = 3 * 64
	maxTagText  = 3 * 256
)

func (f *Frame) validateSpan() error {
	switch {
	case f.Span < 0 || f.Span > MaxSpans, f.Parent < 0, f.Parent >= max(f.Span, 1):
		return fmt.Errorf("wire: impossible span %d below %d", f.Span, f.Parent)
	case f.Start < 0 || f.Duration < 0:
		return fmt.Errorf("wire: impossible span from %v for %v", f.Start, f.Duration)
	case len(f.Name) > maxSpanName || len(f.Tags) > maxTags:
		return errSpanSize
	}
	for _, tag := range f.Tags {
		if err := validateTag(tag); err != nil {
			return err
		}
	}
	return nil
}

var errSpanSize = errors.New("wire: span is too large")

func validateTag(tag [2]any) error {
	key, ok := tag[0].(string)
	if !ok {
		return errors.New("wire: tag without a key")
	}
	switch value := tag[1].(type) {
	case bool, float64:
	case string:
		if len(value) > maxTagText {
			return errSpanSize
		}
	default:
		return fmt.Errorf("wire: tag %.100q is no text, number or truth", key)
	}
	if len(key) > maxTagKey {
		return errSpanSize
	}
	return nil
}
