package api

import (
	"context"

	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Invoker runs functions. It must be safe for concurrent use. Its errors are or wrap *function.NotFoundError,
// function.ErrUnavailable and those of package sandbox; any other is a fault of the server.
type Invoker interface {
	// Check runs the top-level code of f alone, to learn whether it can be stored.
	Check(ctx context.Context, f *function.Function) error
	// Find returns a function whose call is about to be made, for its options.
	Find(ctx context.Context, ref function.Ref) (invoke.Found, error)
	Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error)
	Pipeline(ctx context.Context, steps []function.Ref, call invoke.Call) (*sandbox.Result, error)
}

// Builder makes what workers run of what a deploy brings; *deploy.Deployer is one. It must be safe for concurrent use.
type Builder interface {
	// Build gives f its artefact, and its source the map: f has the source of a function of files, or code, and the
	// options that it will run with. The error of files that cannot be built is a detailed one.
	Build(ctx context.Context, f *function.Function) (deploy.Built, error)
	// CheckModule builds a shared module with those that it imports, to learn whether functions can. Its errors are those
	// of Build.
	CheckModule(ctx context.Context, m *function.Module) (deploy.Built, error)
}
