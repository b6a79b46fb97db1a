package queue

import (
	"time"

	"github.com/backstage/functions/internal/function"
)

// Step is one of a pipeline: its function, and how that may be retried.
type Step struct {
	Ref             function.Ref
	Attempts        int
	Backoff, MaxAge time.Duration
}

// Current is the step that runs next or runs now; of a call of one function it is that function.
func (c *Call) Current() Step {
	if c.Step < len(c.Steps) {
		return c.Steps[c.Step]
	}
	return Step{c.Ref, c.Spec.Attempts, c.Backoff, c.MaxAge}
}

// HasNext says whether another step follows the current one.
func (c *Call) HasNext() bool { return c.Step+1 < len(c.Steps) }

// Functions are those that the call runs, in order.
func (s *Spec) Functions() []function.Ref {
	if len(s.Steps) == 0 {
		return []function.Ref{s.Ref}
	}
	refs := make([]function.Ref, len(s.Steps))
	for i, step := range s.Steps {
		refs[i] = step.Ref
	}
	return refs
}

// stepRecord is a step in the document of a Spec. Times are milliseconds.
type stepRecord struct {
	Namespace string `json:"namespace"`
	Function  string `json:"function"`
	Attempts  int    `json:"attempts"`
	Backoff   int64  `json:"backoff,omitempty"`
	MaxAge    int64  `json:"maxAge"`
}

func recordsOf(steps []Step) (all []stepRecord) {
	for _, s := range steps {
		all = append(all, stepRecord{
			s.Ref.Namespace, s.Ref.ID, s.Attempts, s.Backoff.Milliseconds(), s.MaxAge.Milliseconds(),
		})
	}
	return all
}

func stepsOf(records []stepRecord) (all []Step) {
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, r := range records {
		all = append(all, Step{function.Ref{Namespace: r.Namespace, ID: r.Function}, r.Attempts, ms(r.Backoff), ms(r.MaxAge)})
	}
	return all
}

// StepBytes is what the steps of a pipeline add to the size of its record, about.
func (s *Spec) StepBytes() (n int) {
	const beside = 64 // names of members, and numbers
	for _, step := range s.Steps {
		n += len(step.Ref.Namespace) + len(step.Ref.ID) + beside
	}
	return n
}
