package invoke

import (
	"net/http"
	"time"

	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/sandbox"
)

// lateOutput is the output of what a call does after its answer. The output of its run has been finished then, so it
// gets one of its own, of the same call, when the first line comes. It is used by one goroutine at a time.
type lateOutput struct {
	output Output
	call   Call
	places *stacktrace.Translator
	out    RunOutput // nil before the first line
	began  time.Time
}

// newLateOutput keeps nothing of the request but what output may want of its header.
func newLateOutput(output Output, call Call, places *stacktrace.Translator) *lateOutput {
	call.Request, call.Memory = sandbox.Request{Method: call.Request.Method, Header: call.Request.Header}, nil
	return &lateOutput{output: output, call: call, places: places}
}

func (l *lateOutput) line(line sandbox.LogLine) {
	if l.out == nil {
		l.out, l.began = l.output.Start(l.call), time.Now()
	}
	l.out.Line(l.places.Line(line))
}

// end comes after the last line.
func (l *lateOutput) end() {
	if l.out != nil {
		l.out.Finish(http.StatusOK, time.Since(l.began))
	}
}
