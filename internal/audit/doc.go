// Package audit says what is recorded of writes and of refusals: who did what, from where, and what came of it. It does
// no input or output.
package audit
