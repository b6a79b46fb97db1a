// Package runnerjs carries the program inside a worker in a Go binary, for programs that use package sandbox without a
// checkout of it.
package runnerjs

import "embed"

// Files are main.js, all that it requires, and the tables of time zones for old versions of Node.js. The addons are not
// among them, since they are compiled: make setup builds them in a checkout. Without them workers start one by one.
//
//go:embed *.js egress/*.js realm/*.js icu/*.res
var Files embed.FS
