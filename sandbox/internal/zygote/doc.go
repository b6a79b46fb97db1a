// Package zygote speaks with the fork server: a Node.js process that has everything loaded and of which each worker is a fork.
//
//	host                               zygote                        worker
//	 │ FORK, stdin, stdout, stderr ───▶ │ fork ─────────────────────▶ │ waits on its stdin
//	 │ ◀─────────────── BORN, pidfd     │                             │
//	 │ places it in its control group   │                             │
//	 │ one byte on its stdin ────────────────────────────────────────▶│ own user, filter, ready
//	 │                                  │ ◀───────────────────── ends │
//	 │ ◀──────── DIED, status, usage    │ reaps
//
// After its first fork the zygote is asked to settle: it rehearses a call, collects its garbage and puts Node.js's code into huge pages, which takes
// as long as the kernel needs to place the first worker, and makes every later one cheaper.
//
// The other half is runner-js/native/zygote.c; the messages are structures in the machine's own byte order on a SOCK_SEQPACKET socket.
package zygote
