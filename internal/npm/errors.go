package npm

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

var (
	errTimeout   = errors.New("it took longer than NPM_TIMEOUT")
	errIdle      = errors.New("it sent nothing for too long")
	errElsewhere = errors.New("it redirects to another host")
	errMissing   = errors.New("it is not there")
	errSum       = errors.New("it has another hash")
)

// Reasons of answers.
const (
	reasonLock     = "lock_file"
	reasonRegistry = "npm_registry"
)

// badLock is the error of a lock file that its author has to change.
func badLock(message string) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusBadRequest, Message: message, Reason: reasonLock, Fault: outcome.FaultCaller,
	})
}

// errOff is the error of a lock file where no registry is set.
func errOff(lock lockfile) error {
	var names []string
	for i := range lock.packages {
		names = append(names, lock.packages[i].String())
	}
	return badLock(fmt.Sprintf("%s names packages (%s), and this server fetches none, because NPM_REGISTRY is not set: "+
		"bundle them before you deploy (npx esbuild ENTRY --bundle --platform=node --format=cjs --outfile=bundle.js), "+
		"and deploy the bundle without a lock file", lock.name, some(names, ", ")))
}

// tooMuchError means that the packages are larger than those of one lock file may be.
type tooMuchError struct {
	dependency *dependency // the largest of those that were counted
	limit      int64       // bytes
}

func (e *tooMuchError) Error() string {
	return fmt.Sprintf("The packages are larger than %d bytes together (NPM_PACKAGES_LIMIT), %s among them: leave out "+
		"what the function does not need, or bundle it before you deploy", e.limit, e.dependency)
}

// Outcome implements outcome.Teller.
func (e *tooMuchError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusRequestEntityTooLarge, Message: e.Error(), Reason: reasonLock, Fault: outcome.FaultCaller,
	}
}

// fetchError says what it means that d could not be fetched. Its own text is for the log: it has the cause, with the
// registry's address.
type fetchError struct {
	dependency *dependency
	cause      error
	outcome    outcome.Outcome
}

func (e *fetchError) Error() string {
	return fmt.Sprintf("npm: fetch %s: %v", e.dependency, e.cause)
}

func (e *fetchError) Unwrap() error { return e.cause }

// Outcome implements outcome.Teller.
func (e *fetchError) Outcome() outcome.Outcome { return e.outcome }

// statusError is an answer of the registry that is not the package.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("it answered %d", int(e)) }

// failed is the error of a fetch of d that ended with cause.
func failed(d *dependency, cause error) error {
	e := &fetchError{dependency: d, cause: cause}
	status, isStatus := errors.AsType[statusError](cause)
	switch {
	case errors.Is(cause, errMissing):
		e.outcome = author(fmt.Sprintf("The registry of this server (NPM_REGISTRY) does not have %s", d))
	case errors.Is(cause, errSum):
		e.outcome = author(fmt.Sprintf("%s of the registry of this server (NPM_REGISTRY) is not the one of the lock file, "+
			"whose integrity is %s: make the lock file with the same registry", d, d.integrity))
	case isStatus && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		e.outcome = gateway(fmt.Sprintf("The registry refuses %s with status %d: the server needs another "+
			"NPM_REGISTRY_TOKEN", d, status))
	case isStatus && status < http.StatusInternalServerError && status != http.StatusTooManyRequests:
		e.outcome = gateway(fmt.Sprintf("The registry answers for %s with status %d: NPM_REGISTRY may not be the address "+
			"of a registry", d, status))
	case errors.Is(cause, errElsewhere):
		e.outcome = gateway(fmt.Sprintf("The registry sends the server to another host for %s, which it does not follow: "+
			"set NPM_REGISTRY to the registry that has the packages", d))
	default:
		e.outcome = outcome.Outcome{
			Status: http.StatusServiceUnavailable, Reason: reasonRegistry, Retry: true, Hidden: true,
			Message: fmt.Sprintf("The registry (NPM_REGISTRY) did not deliver %s: %s", d, brief(cause)),
		}
	}
	return e
}

// brief is a cause as callers may see it, without addresses.
func brief(cause error) string {
	status, isStatus := errors.AsType[statusError](cause)
	switch {
	case isStatus:
		return status.Error()
	case errors.Is(cause, errTimeout), errors.Is(cause, errIdle):
		return "it took too long"
	case errors.Is(cause, errFull):
		return "all that the server keeps of packages is in use (NPM_CACHE_SIZE)"
	}
	return "the connection failed"
}

func author(message string) outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusBadRequest, Message: message, Reason: reasonLock, Fault: outcome.FaultCaller,
	}
}

func gateway(message string) outcome.Outcome {
	return outcome.Outcome{Status: http.StatusBadGateway, Message: message, Reason: reasonRegistry, Hidden: true}
}

// maxShown is how much of what an author wrote an error repeats, in bytes.
const maxShown = 100

func shown(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) > maxShown {
		return strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

// maxNamed is how many of the same kind an error names.
const maxNamed = 3

// some joins the first of items, and says how many more there are.
func some(items []string, separator string) string {
	if more := len(items) - maxNamed; more > 0 {
		return strings.Join(items[:maxNamed], separator) + fmt.Sprintf("%sand %d more", separator, more)
	}
	return strings.Join(items, separator)
}

// unquote is the text of a JSON string; empty for another value.
func unquote(value []byte) string {
	if !rawjson.IsString(value) {
		return ""
	}
	return rawjson.Unquote(value)
}
