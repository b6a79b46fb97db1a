package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// DefaultBodyLimit is the limit on request bodies, in bytes.
const DefaultBodyLimit = 1 << 20

// DefaultCodeLimit is the limit on the files of a deploy, in bytes.
const DefaultCodeLimit = 8 << 20

// DefaultMaxSteps is the limit on the steps of a pipeline.
const DefaultMaxSteps = 100

// DefaultBatchInputs is the limit on the inputs of a batch.
const DefaultBatchInputs = 10000

// defaultParallel is how many inputs of a batch run at a time where nobody says how many may.
const defaultParallel = 4

func (o Options) withDefaults() Options {
	if o.BodyLimit == 0 {
		o.BodyLimit = DefaultBodyLimit
	}
	if o.CodeLimit == 0 {
		o.CodeLimit = DefaultCodeLimit
	}
	if o.Builder == nil {
		o.Builder = noBuilder{}
	}
	if o.Grow == nil {
		o.Grow = func(*http.Request, int) bool { return true }
	}
	if o.Sending == nil {
		o.Sending = func(*http.Request, func()) {}
	}
	if o.Shrink == nil {
		o.Shrink = func(*http.Request, int) {}
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = DefaultMaxSteps
	}
	if o.BatchInputs == 0 {
		o.BatchInputs = DefaultBatchInputs
	}
	if o.Spare == nil {
		o.Spare = func(running int) bool { return running < defaultParallel }
	}
	if o.Paced == nil {
		o.Paced = func(*http.Request) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = clientOf
	}
	if o.Owner == nil {
		o.Owner = func(namespace string) string { return namespace }
	}
	if o.DeployLog == nil {
		o.DeployLog = func(function.Ref, string, string) {}
	}
	if o.FunctionLog == nil {
		o.FunctionLog = func(function.Ref, string) {}
	}
	if o.AccessLog == nil {
		o.AccessLog = func(*http.Request, Answer) {}
	}
	if o.Served == nil {
		o.Served = func(context.Context, string, int, time.Duration) {}
	}
	if o.Updated == nil {
		o.Updated = func(int, time.Duration) {}
	}
	if o.TraceID == nil {
		o.TraceID = func(context.Context) string { return "" }
	}
	if o.Routed == nil {
		o.Routed = func(*http.Request, string) {}
	}
	if o.Audit == nil {
		o.Audit = noAuditor{}
	}
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	if o.Secrets == nil {
		o.Secrets = noSecrets{}
	}
	if o.Public == nil {
		o.Public = nonePublic{}
	}
	if o.Disabled == nil {
		o.Disabled = noneDisabled{}
	}
	if o.Routes == nil {
		o.Routes = noRoutes{}
	}
	if o.Runtimes == nil {
		o.Runtimes = func() []sandbox.Runtime { return nil }
	}
	if o.HTTPStats == nil {
		o.HTTPStats = noConnections
	}
	if o.Isolation == nil {
		o.Isolation = func() any { return struct{}{} }
	}
	if o.MaxFollowers == 0 {
		o.MaxFollowers = DefaultMaxFollowers
	}
	if o.MaxLogReaders == 0 {
		o.MaxLogReaders = DefaultMaxLogReaders
	}
	if o.Life == nil {
		o.Life = context.Background()
	}
	if o.Livez == nil {
		o.Livez = allWell
	}
	if o.Readyz == nil {
		o.Readyz = allWell
	}
	if o.HeaderNames == nil {
		o.HeaderNames = func(*http.Request) string { return "" }
	}
	if o.Calls == nil && o.Kept != nil {
		o.Calls = noCalls{}
	}
	if o.NestingOf == nil {
		o.NestingOf = func(string) invoke.Nesting { return invoke.Nesting{} }
	}
	if o.StoreFault == nil {
		o.StoreFault = func() error { return nil }
	}
	if o.Services == nil {
		o.Services = []Service{sentryUnset}
	}
	return o
}
