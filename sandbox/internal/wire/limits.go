package wire

// Limits bound what one worker may write. Every size that a worker has a say in is bounded here; docs/protocol.md has
// the same table.
type Limits struct {
	// Answer is the longest result in bytes, its newline not counted. Logs is the most text that one call may print, in
	// bytes.
	Answer, Logs int
}

// The sizes of lines. Only what carries a function's data may be long.
const (
	shortLine = 1 << 10  // ready, pending, oversize, late, done, chunk and end: some words and numbers
	spanLine  = 32 << 10 // what the limits below allow, with every unit escaped
	errorLine = 1 << 20  // four texts, and headers
	escaped   = 6        // the most bytes of JSON for a byte of text: \u0007
)

// Limits on the headers of one answer. Their bytes are those of all names and values.
const (
	MaxHeaderLines = 256
	MaxHeaderBytes = 64 << 10
)

// headLine is for a head of so many headers with all bytes escaped, each pair with 8 characters of its own.
const headLine = escaped*MaxHeaderBytes + 8*MaxHeaderLines + shortLine

// MaxChunk is the most bytes of a streamed answer that follow the line of one chunk: what a pipe holds.
const MaxChunk = 64 << 10

// Limits on spans. MaxSpans are those of one call, beside its own. The runner cuts texts at as many UTF-16 units as
// stand here before the factor; in UTF-8 each takes three bytes at most.
const (
	MaxSpans    = 64
	maxTags     = 16
	maxSpanName = 3 * 128
	maxTagKey   = 3 * 64
	maxTagText  = 3 * 256
)

// MaxProgress is how many progress frames a call may have, and maxProgressText the longest text of one, in the runner
// as above.
const (
	MaxProgress     = 10_000
	maxProgressText = 3 * 256
)

// MaxLate is how many late frames a call may have, and maxLeft the most that one may count.
const (
	MaxLate = 1000
	maxLeft = 1_000_000
)

// maxDepth is how deep an answer may be nested.
const maxDepth = 10_000

// Error is the longest error frame, which the runner is told.
func (l Limits) Error() int { return min(l.Answer, errorLine) }

// of is the longest line of a frame of the given type; 0 when workers send none of that type.
func (l Limits) of(kind string) int {
	switch kind {
	case Ready, Pending, Oversize, Late, Done, Chunk, End:
		return shortLine
	case Log:
		return escaped*l.Logs + shortLine
	case Span:
		return spanLine
	case Progress:
		return escaped*maxProgressText + shortLine
	case Result:
		return l.Answer
	case Error:
		return l.Error()
	case Head:
		return headLine
	default:
		return 0
	}
}
