package redis

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/backstage/functions/internal/function"
)

// maxReported bounds for how many functions it is remembered what was reported.
const maxReported = 1024

// envFaults logs stored variables that no PUT can have written, once for each function and fault. The zero value is
// ready. It is safe for concurrent use.
type envFaults struct {
	mu       sync.Mutex // guards reported
	reported map[function.Ref]string
}

// report logs what is wrong with the variables of f, which were read from text. Functions get any JSON value
// unchanged, as they did in Backstage Functions; numbers and booleans are common.
func (e *envFaults) report(ctx context.Context, log *slog.Logger, f *function.Function, text string) {
	if f.Env == nil {
		if _, err := readEnv(text); err != nil && e.first(f.Ref, "") {
			log.WarnContext(
				ctx, "The stored variables of a function are no JSON object, it runs without them: put its env again",
				"function", f.Ref.String(), "error", err,
			)
		}
		return
	}
	names := f.Env.Odd()
	if len(names) > 0 && e.first(f.Ref, strings.Join(names, "\n")) {
		log.WarnContext(
			ctx, "Stored variables of a function are neither strings, numbers nor booleans; it gets them as they are",
			"function", f.Ref.String(), "variables", names,
		)
	}
}

// first says whether the fault was not reported yet, and remembers it.
func (e *envFaults) first(ref function.Ref, fault string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if before, known := e.reported[ref]; known && before == fault {
		return false
	}
	if e.reported == nil || len(e.reported) == maxReported {
		e.reported = map[function.Ref]string{}
	}
	e.reported[ref] = fault
	return true
}
