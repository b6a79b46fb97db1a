// Package routes finds the function that a host and a path belong to, by routes that people write.
//
// A Table is what all routes say; a Keeper keeps one in step with the store.
package routes
