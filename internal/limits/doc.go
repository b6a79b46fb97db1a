// Package limits holds calls to what operators, authors and keys allow: it has the limits of namespaces in memory.
package limits
