package sandbox

import "time"

// Back-off between starts that fail.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// What failed starts say of the next one: one may be chance, and what happened long ago, with no start tried since,
// says nothing of the next one.
const (
	toleratedFailures = 1
	failureMemory     = 2 * lastRetry
)

// failing remembers the starts that failed since the last one that did not. The zero value is ready for use.
type failing struct {
	count int
	last  time.Time
	cause error
}

// persist says whether starts fail by more than chance.
func (f *failing) persist() bool { return f.count > toleratedFailures }

// add counts a start that ended with err.
func (f *failing) add(err error) {
	if err == nil {
		*f = failing{}
		return
	}
	f.count++
	f.last, f.cause = time.Now(), err
}
