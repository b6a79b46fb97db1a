package queue

import (
	"errors"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// TestARecordThatNobodyCouldUseIsRefused has numbers that no store writes, but that whoever writes to it could.
func TestARecordThatNobodyCouldUseIsRefused(t *testing.T) {
	ref := function.Ref{Namespace: "ns", ID: "id"}
	step := Step{Ref: ref, Attempts: 1, MaxAge: time.Hour}
	for name, row := range map[string]struct {
		steps  int
		change func(*Call)
		sound  bool
	}{
		"one function":      {0, func(*Call) {}, true},
		"the last step":     {2, func(c *Call) { c.Step = 1 }, true},
		"a step too many":   {2, func(c *Call) { c.Step = 2 }, false},
		"a step of nothing": {0, func(c *Call) { c.Step = 1 }, false},
		"no step":           {2, func(c *Call) { c.Step = -1 }, false},
		"takes":             {0, func(c *Call) { c.Takes = -1 }, false},
		"used":              {0, func(c *Call) { c.Used = -1 }, false},
	} {
		c := &Call{Spec: Spec{ID: "1", Ref: ref, Attempts: 1, MaxAge: time.Hour}, Status: Queued}
		for range row.steps {
			c.Steps = append(c.Steps, step)
		}
		row.change(c)
		text, err := c.Record()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseCall("1", text); (err == nil) != row.sound || err != nil && !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
