// Package wire is the protocol between the pool and a worker: one JSON object a line, docs/protocol.md draws it.
//
//	host → worker   init, load, invoke       written with the Append functions
//	worker → host   ready, log, pending,     read with Reader; every byte of them is hostile
//	                span, result, error, oversize
package wire
