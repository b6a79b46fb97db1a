package api

import (
	"encoding/json"
	"strconv"

	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// The states of steps beside those of calls.
const (
	stepWaiting = "waiting" // for the steps before it
	stepSkipped = "skipped" // the pipeline has ended before it
)

// stepsJSON is a list of the steps of a pipeline: what each came to, and its attempts.
func stepsJSON(c *queue.Call) []byte {
	attempts := make([][]queue.Attempt, len(c.Steps))
	for _, a := range c.History {
		if i := stepOfAttempt(a) - 1; i >= 0 && i < len(attempts) {
			attempts[i] = append(attempts[i], a)
		}
	}
	out := []byte{'['}
	for i, step := range c.Steps {
		if i > 0 {
			out = append(out, ',')
		}
		o := rawjson.NewObject(nil)
		o.String("namespace", step.Ref.Namespace)
		o.String("function", step.Ref.ID)
		o.String("status", stepStatus(c, i))
		if i == c.Step {
			addText(&o, "reason", c.Reason)
		}
		o.Raw("maxAttempts", strconv.AppendInt(nil, int64(step.Attempts), 10))
		o.Raw("attempts", historyJSON(attempts[i]))
		out = append(out, o.End()...)
	}
	return append(out, ']')
}

// stepStatus is the state of the step with that index.
func stepStatus(c *queue.Call, i int) string {
	switch {
	case i < c.Step:
		return string(queue.Succeeded)
	case i == c.Step:
		return string(c.Status)
	case c.Status == queue.Succeeded: // by the answer of the step before
		return stepSkipped
	}
	return stepWaiting
}

// stepOfAttempt is the number of the step that an attempt was of; 0 when it says none.
func stepOfAttempt(a queue.Attempt) (number int) {
	for name, value := range rawjson.Members(a.Detail) {
		if rawjson.Unquote(name) == "step" {
			_ = json.Unmarshal(value, &number) // what is no number is none
		}
	}
	return number
}
