package redis

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/backstage/functions/internal/function"
)

// maxTold bounds how many functions are remembered whose variables were told of.
const maxTold = 1024

// envFaults tells of stored variables that no PUT can have left, once for each function and what is wrong with it. The zero value is ready.
// It is safe for concurrent use.
type envFaults struct {
	mu   sync.Mutex
	told map[function.Ref]string
}

// tell tells of the variables of f, which was read, and text, which they were read from. Functions get what is JSON as it stands, as they did
// in Backstage Functions; numbers and booleans are common.
func (e *envFaults) tell(ctx context.Context, log *slog.Logger, f *function.Function, text string) {
	if f.Env == nil {
		if _, err := readEnv(text); err != nil && e.first(f.Ref, "") {
			log.WarnContext(ctx, "The stored variables of a function are no JSON object, it runs without them: put its env again",
				"function", f.Ref.String(), "error", err)
		}
		return
	}
	names := f.Env.Odd()
	if len(names) > 0 && e.first(f.Ref, strings.Join(names, "\n")) {
		log.WarnContext(ctx, "Stored variables of a function are neither strings, numbers nor booleans; it gets them as they are",
			"function", f.Ref.String(), "variables", names)
	}
}

// first says whether this is news, and remembers it.
func (e *envFaults) first(ref function.Ref, fault string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if before, known := e.told[ref]; known && before == fault {
		return false
	}
	if e.told == nil || len(e.told) == maxTold {
		e.told = map[function.Ref]string{}
	}
	e.told[ref] = fault
	return true
}
