package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Observe returns s with hooks, the first one outermost, that are called for each operation but those of Logs,
// Messages, Taking and Metering: these go on in the background or wait, and have metrics of their own.
func Observe(s Store, hooks ...hook.Func) Store {
	return observed{
		Lifecycle:       s,
		Logs:            s,
		Messages:        s,
		pinger:          pinger{hook.Guard[Pinger](s, hooks...)},
		functions:       functions{hook.Guard[Functions](s, hooks...)},
		namespaces:      namespaces{hook.Guard[Namespaces](s, hooks...)},
		routes:          routes{hook.Guard[Routes](s, hooks...)},
		keys:            keys{hook.Guard[Keys](s, hooks...)},
		modules:         modules{hook.Guard[Modules](s, hooks...)},
		public:          public{hook.Guard[Public](s, hooks...)},
		auditing:        auditing{hook.Guard[Audit](s, hooks...)},
		secrets:         secrets{hook.Guard[Secrets](s, hooks...)},
		calls:           calls{s, hook.Guard[Calls](s, hooks...)},
		kept:            kept{hook.Guard[Kept](s, hooks...)},
		Metering:        s,
		used:            used{hook.Guard[Usage](s, hooks...)},
		namespaceLimits: namespaceLimits{hook.Guard[NamespaceLimits](s, hooks...)},
	}
}

// observed embeds no aggregate that is observed: a method that is new in one does not compile until it calls the hooks.
type observed struct {
	Lifecycle
	Logs
	Messages
	pinger
	functions
	namespaces
	routes
	keys
	modules
	public
	auditing
	secrets
	calls
	kept
	namespaceLimits
	Metering
	used
}

type pinger struct{ guarded hook.Guarded[Pinger] }

func (s pinger) Ping(ctx context.Context) error {
	return s.guarded.Do(ctx, read("ping"), func(ctx context.Context, to Pinger) error { return to.Ping(ctx) })
}

func read(name string) hook.Operation { return hook.Operation{Name: name} }

func write(name string, c function.Change) hook.Operation {
	return hook.Operation{Name: name, Kind: hook.Write, Change: c}
}

func remove(name string, c function.Change) hook.Operation {
	return hook.Operation{Name: name, Kind: hook.Delete, Change: c}
}
