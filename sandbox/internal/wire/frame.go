package wire

import (
	"encoding/json"
	"time"
)

// The types of frame that a worker sends.
const (
	Ready    = "ready"
	Log      = "log"
	Pending  = "pending"
	Span     = "span"
	Progress = "progress"
	Result   = "result"
	Error    = "error"
	Oversize = "oversize"
	Late     = "late"
	Done     = "done"
	Head     = "head"
	Chunk    = "chunk"
	End      = "end"
)

// Frame is one frame of a worker. Which fields are set depends on Type; the others are zero.
type Frame struct {
	Type string `json:"type"`
	// ID is that of the invocation; empty in a ready frame.
	ID string `json:"id"`

	// Of ready. Missing has a line "name: cause" for each of Init's modules that cannot be loaded.
	PID     int    `json:"pid"`
	Node    string `json:"node"`
	Missing string `json:"missing"`

	// Of log.
	Level string `json:"level"`
	Text  string `json:"text"` // also of error, String(thrown), and of progress

	// Of progress: how far the call is, 0 to 1.
	Part float64 `json:"part"`

	// Of result, error, oversize and end. Reusable says that nothing of the call is left in the worker.
	Reusable bool            `json:"reusable"` // also of done
	Status   int             `json:"status"`   // also of head, not of end; of error: 0 when the thrown value named none
	Headers  [][2]string     `json:"headers"`  // also of head, not of end
	Load     float64         `json:"load"`     // milliseconds to read and compile the code; 0 when that was done before
	Body     json.RawMessage `json:"body"`     // of result: nil for undefined, and where Bytes is set

	// Bytes is the body of a result that is bytes, where it is not nil. Of chunk it is the next piece of a streamed
	// answer, of Size bytes, which are valid until the next frame is read.
	Bytes []byte `json:"bytes"`

	// Of result, error, oversize, end and done: how many timers, requests and promises of the call end with this frame.
	// Of result, error, oversize, end and late: how many go on until a done frame; 0 for none.
	Cut  int `json:"cut"`
	Late int `json:"late"`

	// Of error.
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Frames  string `json:"frames"`

	// Of span, see Span's limits. Span is its number within the call: 0 is that of the call itself, which has tags only.
	// Start and Duration are in milliseconds, Start from the begin of the call. A tag is a pair of a key and a text,
	// number or truth.
	Span     int      `json:"span"`
	Parent   int      `json:"parent"`
	Name     string   `json:"name"`
	Start    float64  `json:"start"`
	Duration float64  `json:"duration"`
	Tags     [][2]any `json:"tags"`

	// Of oversize: the size of the frame that was not sent. Of chunk: how many bytes follow its line, 1 to MaxChunk.
	Size int `json:"size"`
}

// Millis is a number of milliseconds that a worker told as a duration; what exceeds an hour is an hour.
func Millis(ms float64) time.Duration {
	return time.Duration(min(ms, float64(time.Hour/time.Millisecond)) * float64(time.Millisecond))
}

// Last says whether f is the answer of its call, or the end of a streamed one.
func (f *Frame) Last() bool {
	return f.Type == Result || f.Type == Error || f.Type == Oversize || f.Type == End
}
