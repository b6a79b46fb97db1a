// Package sandbox runs JavaScript functions in a pool of isolated Node.js processes.
//
// A worker is one operating-system process with limits of its own. It is started before it is needed, is bound to one revision of one
// function by the first call it gets, serves calls one at a time, and never serves another function:
//
//	           start                bind                     answer
//	(nothing) ───────▶ prewarmed ─────────▶ busy ◀──────────────────────▶ idle
//	                        │                │ deadline, crash,             │ idle for too long,
//	                        │                │ work left behind             │ slot needed elsewhere
//	                        ▼                ▼                              ▼
//	                      dead ◀────────── killed, reaped, its reason known ┘
//
// Calls that find no worker wait in a bounded queue that is fair between groups (namespaces) and, within a group, between functions.
// Every call is answered: by the function, by a *FunctionError, by a *DeathError that names the Reason, or by ErrBusy or ErrClosed.
//
//	cfg := sandbox.DefaultConfig()
//	cfg.Node, cfg.Runner = "/usr/bin/node", "runner-js/main.js"
//	pool, err := sandbox.New(ctx, cfg)
//	…
//	defer pool.Close()
//	result, err := pool.Invoke(ctx, &sandbox.Invocation{
//		ID: "1", Key: "demo", Filename: "demo.js",
//		Code: "function main(req, res) { res.send({ say: 'hello' }) }",
//	})
package sandbox
