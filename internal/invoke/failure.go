package invoke

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// statusOf is the HTTP status that a run is counted under.
func statusOf(result *sandbox.Result, err error) int {
	if err != nil {
		return outcome.Of(err).Status
	}
	return result.Status
}

// describe is the line that a failed call, or step of a pipeline, leaves in the function's log.
func (p place) describe(err error, took time.Duration) string {
	text, message := failureTexts(err)
	if p.step == 0 {
		return "Failed to run function: " + text
	}
	seconds := strconv.FormatFloat(took.Round(time.Millisecond).Seconds(), 'f', -1, 64)
	return fmt.Sprintf("Failed to run function: %s, %s seconds", message, seconds)
}

// failureTexts returns what JavaScript would call String(err) and err.message.
func failureTexts(err error) (text, message string) {
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return thrown.Text, thrown.Message
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		switch death.Reason {
		case sandbox.ReasonSyncDeadline:
			return "Error: Script execution timed out.", "Script execution timed out."
		case sandbox.ReasonDeadline:
			return "Error: Function timeout", "Function timeout"
		}
	}
	return err.Error(), err.Error()
}

// EndedBy is why the context of a call ended, in the words of the output of its function.
type EndedBy string

func (e EndedBy) Error() string { return string(e) }

// toldOf is err, or why ctx ended where that has killed the worker and has words.
func toldOf(ctx context.Context, err error) error {
	cause, told := errors.AsType[EndedBy](context.Cause(ctx))
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok && told && death.Reason == sandbox.ReasonCanceled {
		return cause
	}
	return err
}

// printFailure prints text and the error's stack, if it has one, as error lines.
func printFailure(out RunOutput, text string, err error) {
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok && thrown.Stack != "" {
		text += "\n" + thrown.Stack
	}
	for line := range strings.Lines(text) {
		out.Line(sandbox.LogLine{Level: "error", Text: strings.TrimRight(line, "\r\n")})
	}
}
