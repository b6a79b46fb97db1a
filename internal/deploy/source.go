package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Store is what Source reads.
type Store interface {
	Get(ctx context.Context, ref function.Ref) (*function.Function, error)
	Source(ctx context.Context, ref function.Ref) (*function.Source, error)
	Revision(ctx context.Context, ref function.Ref) (string, error)
}

// firstModules is the first major version of Node.js on which code may be a module.
const firstModules = 18

// Source returns functions of Store as this server can run them. An artefact for a newer Node.js than that of the
// function's runtime, as another server may have made it, is built anew. What comes of it is not stored: it is kept in
// memory with the function.
type Source struct {
	Store
	Deployer *Deployer
}

// Get returns a function, or the errors of Store and of Build.
func (s *Source) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	f, err := s.Store.Get(ctx, ref)
	if err != nil || f.Artefact == nil {
		return f, err
	}
	runtime, _, err := s.Deployer.runtimeOf(f)
	if err == nil && f.Artefact.Lowered && runtime.Major() < firstModules {
		f.Artefact = nil // which says what the code needs
		return f, nil
	}
	if err != nil || major(f.Artefact.Node) <= runtime.Major() { // a run tells of a runtime that is missing
		return f, nil //nolint:nilerr // see above
	}
	source, err := s.Store.Source(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("source of %s, to build it for %s: %w", ref, runtime.Name, err)
	}
	files, modules := unpin(source, ref, f.Artefact.Modules)
	from := &function.Source{Entry: source.Entry, Files: files}
	if f.Code != "" {
		from = given(&function.Function{Code: f.Code})
	}
	built, next, _, err := s.Deployer.build(ctx, f, from, modules)
	if fault, ok := errors.AsType[*faultError](err); ok {
		return nil, outcome.New(outcome.Outcome{
			Status: http.StatusInternalServerError, Fault: outcome.FaultFunction,
			Message: fmt.Sprintf("%s was built for Node.js %s and cannot be built for the runtime %s: %s",
				ref, f.Artefact.Node, runtime.Name, fault.Outcome().Message),
		})
	}
	if err != nil {
		return nil, err
	}
	f.Artefact, f.Source = built, &function.Source{Map: next.Map} // the stored map is that of another artefact
	return f, nil
}

// major is the first number of a version such as "24.1.0".
func major(version string) int {
	first, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	n, _ := strconv.Atoi(first) // 0 for what is none, which every runtime is newer than
	return n
}
