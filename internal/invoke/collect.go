package invoke

import (
	"fmt"
	"io"
	"net/http"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// DefaultStepBytes is the limit on a stream between two steps, in bytes.
const DefaultStepBytes = 6 << 20

// collected is what a step streams to the next one. It is used by one goroutine at a time.
type collected struct {
	limit int64
	room  bodyMemory
	head  *sandbox.StreamHead // nil before it has begun
	bytes []byte
}

// begin takes the head of the stream.
func (c *collected) begin(head sandbox.StreamHead) (io.Writer, error) {
	c.head, c.bytes = &head, []byte{}
	return c, nil
}

// Write keeps piece, if there is memory for it.
func (c *collected) Write(piece []byte) (int, error) {
	need := len(c.bytes) + len(piece)
	if int64(need) > c.limit {
		return 0, outcome.New(outcome.Outcome{
			Status: http.StatusInternalServerError, Fault: outcome.FaultFunction,
			Message: fmt.Sprintf("The step streams more than %d bytes: only the last one of a pipeline may", c.limit),
		})
	}
	if need > cap(c.bytes) {
		size := max(need, min(2*cap(c.bytes), int(c.limit)))
		if err := c.room.grow(size); err != nil {
			return 0, err
		}
		c.bytes = append(make([]byte, 0, size), c.bytes...)
	}
	c.bytes = append(c.bytes, piece...)
	return len(piece), nil
}

// into makes what was collected the answer of result, if that was streamed here.
func (c *collected) into(result *sandbox.Result) {
	if c.head != nil {
		result.Streamed, result.Bytes = false, c.bytes
	}
}
