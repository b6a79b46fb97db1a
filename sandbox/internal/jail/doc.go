// Package jail starts a program behind kernel namespaces, in a root of its own, without capabilities.
//
// It has two halves. The host's (Command) starts this very binary again in new namespaces; the child's, which runs when
// this package is initialized and so needs no call in main, builds the root and then becomes the program by execve(2):
//
//	host                                             child
//	 │ clones the mounts the program may see          │
//	 │ clone(NEWUSER|NEWPID|NEWNS|NEWNET|…), ID maps ─▶│ root: a small tmpfs, the mounts, pivot_root, read-only
//	 │                                                │ limits, capabilities, no_new_privs
//	 │                                                │ execve(program)
//
// Go cannot run code between fork and exec, hence the second start. A step that fails has a name, and the name reaches
// the host.
package jail
