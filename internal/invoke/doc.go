// Package invoke turns the name of a function into its answer: it finds the code, has a worker run it, and tells the
// recorder and the output how it went.
//
// Functions are kept in memory. They are loaded on demand, dropped when a store announces a change, and compared with
// the store's revision when no announcement could have been lost for longer than Options.MaxStale. While the store is
// away the functions in memory keep running.
package invoke
