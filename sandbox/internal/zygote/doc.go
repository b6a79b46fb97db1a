// Package zygote speaks with the fork server: a Node.js process that has everything loaded and of which each worker is
// a fork.
//
//	host                               zygote                        worker
//	 │ FORK, stdin, stdout, stderr ───▶ │ fork ─────────────────────▶ │ waits on its stdin
//	 │ ◀─────────────── BORN, pidfd     │                             │
//	 │ places it in its cgroup          │                             │
//	 │ one byte on its stdin ────────────────────────────────────────▶│ own user, filter, ready
//	 │                                  │ ◀───────────────────── ends │
//	 │ ◀──────── DIED, status, usage    │ reaps
//
// After its first fork the zygote is asked to settle: it rehearses calls, collects its garbage and puts Node.js's code
// and its heap into huge pages, which makes later workers cheaper and faster. Meanwhile it does not fork, and tells of
// no death: a tenth of a second, most of which the kernel needs to place the first worker anyway.
//
// The other half is runner-js/native/zygote.c; the messages are structures in the machine's own byte order on a
// SOCK_SEQPACKET socket.
package zygote
