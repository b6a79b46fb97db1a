// Package sandbox runs JavaScript functions in a pool of isolated Node.js processes.
//
// A worker is one operating-system process with limits of its own. It is started before it is needed, is bound to one
// function and its code by the first call it gets, serves calls one at a time, and never serves another function:
//
//	           start                bind                     answer
//	(nothing) ───────▶ prewarmed ─────────▶ busy ◀──────────────────────▶ idle
//	                        │                │ deadline, crash,             │ idle for too long,
//	                        │                │ work left behind             │ slot needed elsewhere
//	                        ▼                ▼                              ▼
//	                      dead ◀────────── killed, reaped, its reason known ┘
//
// Calls that find no worker wait in a bounded queue that is fair between groups (namespaces) and, within a group,
// between functions. Every call is answered: by the function, by a *FunctionError, by a *DeathError that names the
// Reason, or by ErrBusy or ErrClosed.
//
//	pool, err := sandbox.New(ctx, sandbox.DefaultConfig())
//	…
//	defer pool.Close()
//	result, err := pool.Invoke(ctx, &sandbox.Invocation{
//		ID: "1", Key: "hello@1", Filename: "hello.js",
//		Code:    "function main(req, res) { res.send({ say: 'hello ' + req.body.name }) }",
//		Request: sandbox.Request{Body: []byte(`{"name":"Joe"}`)},
//	})
//
// # What a program needs
//
// Linux, and Node.js 8 or newer: New takes the node on PATH unless Config.Node names another one. The program inside
// the workers is carried in this package, and unpacked to a folder below the user's cache (os.UserCacheDir). With
// Config.Runner naming the main.js of a checkout in which make setup was run, workers are forked from a warm process
// instead of started one by one.
//
// Config.Runtimes has several versions of Node.js in one pool: they share its workers, its queue and its memory, and an
// Invocation chooses one by its name. Pool.Add and Pool.Remove change them while the pool runs.
//
// IsolationStrict, the default, needs the rights to make cgroups: root has them, or a delegated subtree. New
// fails with ErrUnsupported and says what is missing where it cannot give what was asked for. IsolationNone needs no
// rights and is for code that is trusted.
//
// A worker in a jail starts as this very program, which this package turns into Node.js while it is initialized: main
// is not reached, and nothing needs to be called there.
//
// # Bytes and streams
//
// A request may have its body as bytes (Request.Raw), and a Result may be bytes (Result.Bytes). An answer that the
// function streams goes to the writer of Invocation.OnHead as it comes, and a *StreamError says why one has ended
// early. A writer that takes its time holds the worker back, not the memory of this program.
//
// # Modules
//
// Functions may require what Config.Modules lists, and nothing by default. Modules of Node.js itself, such as "crypto",
// are there at once. npm modules are installed by the program's author into a folder that Config.ModulesDir names:
//
//	npm install --prefix DIR --ignore-scripts lodash
//
// A module is loaded once for all functions; those that cannot be loaded are named by New's *ModulesError. A Runtime
// may have modules of its own.
//
// Package sandboxtest has pools for tests.
package sandbox
