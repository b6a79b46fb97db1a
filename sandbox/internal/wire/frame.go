package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of frame that a worker sends.
const (
	Ready    = "ready"
	Log      = "log"
	Pending  = "pending"
	Span     = "span"
	Result   = "result"
	Error    = "error"
	Oversize = "oversize"
)

// Frame is one frame of a worker. Which fields are set depends on Type; the others are zero.
type Frame struct {
	Type string `json:"type"`
	// ID is that of the invocation; empty in a ready frame.
	ID string `json:"id"`

	// Of ready.
	PID  int    `json:"pid"`
	Node string `json:"node"`

	// Of log.
	Level string `json:"level"`
	Text  string `json:"text"` // also of error: String(thrown)

	// Of result, error and oversize. Reusable says that nothing of the call is left in the worker.
	Reusable bool            `json:"reusable"`
	Status   int             `json:"status"` // of error: 0 when the thrown value named none
	Headers  [][2]string     `json:"headers"`
	Load     float64         `json:"load"` // milliseconds it took to read and compile the code; 0 when that was done before
	Body     json.RawMessage `json:"body"` // nil for undefined

	// Of error.
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Frames  string `json:"frames"`

	// Of span, see Span's limits. Span is its number within the call: 0 is that of the call itself, which has tags only. Start and Duration
	// are in milliseconds, Start from the begin of the call. A tag is a pair of a key and a text, number or truth.
	Span     int      `json:"span"`
	Parent   int      `json:"parent"`
	Name     string   `json:"name"`
	Start    float64  `json:"start"`
	Duration float64  `json:"duration"`
	Tags     [][2]any `json:"tags"`

	// Of oversize: the size of the frame that was not sent.
	Size int `json:"size"`
}

// Millis is a number of milliseconds that a worker told as a duration; what exceeds an hour is an hour.
func Millis(ms float64) time.Duration {
	return time.Duration(min(ms, float64(time.Hour/time.Millisecond)) * float64(time.Millisecond))
}

// Last says whether f ends its call.
func (f *Frame) Last() bool { return f.Type == Result || f.Type == Error || f.Type == Oversize }

// Decode reads one line. It copies what it keeps. Every error means that the worker cannot be trusted any more.
func Decode(line []byte) (*Frame, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("wire: not UTF-8")
	}
	if frame := decodeResult(line); frame != nil {
		return frame, nil
	}
	return decodeAny(line)
}

func decodeAny(line []byte) (*Frame, error) {
	frame := new(Frame)
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(frame); err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	if dec.InputOffset() != int64(len(line)) {
		return nil, errors.New("wire: more than one value in a line")
	}
	if err := frame.validate(); err != nil {
		return nil, err
	}
	return frame, nil
}

func (f *Frame) validate() error {
	switch f.Type {
	case Ready:
		return nil
	case Log:
		if f.Level != "info" && f.Level != "error" {
			return fmt.Errorf("wire: unknown level %q", f.Level)
		}
		if strings.Contains(f.Text, "\n") {
			return errors.New("wire: line break in a log line")
		}
	case Pending, Oversize:
	case Span:
		if err := f.validateSpan(); err != nil {
			return err
		}
	case Result:
		if !isStatus(f.Status) {
			return fmt.Errorf("wire: impossible status %d", f.Status)
		}
	case Error:
		if f.Status != 0 && !isStatus(f.Status) {
			return fmt.Errorf("wire: impossible status %d", f.Status)
		}
	default:
		return fmt.Errorf("wire: unknown frame type %q", f.Type)
	}
	if f.ID == "" {
		return errors.New("wire: frame without an ID")
	}
	if f.Load < 0 {
		return fmt.Errorf("wire: negative load time %v", f.Load)
	}
	return validateHeaders(f.Headers)
}

func isStatus(n int) bool { return n >= 100 && n <= 599 }

// validateHeaders refuses what would break out of a header line: RFC 9110, section 5.5.
func validateHeaders(headers [][2]string) error {
	for _, h := range headers {
		if h[0] == "" {
			return errors.New("wire: header without a name")
		}
		for _, part := range h {
			for i := range len(part) {
				if c := part[i]; c == '\r' || c == '\n' || c == 0 {
					return fmt.Errorf("wire: control character in header %q", h[0])
				}
			}
		}
	}
	return nil
}
