// Package sandboxtest helps to test programs that run functions by package sandbox: with a small real pool, or with a
// fake one that needs neither Node.js nor Linux.
package sandboxtest
