// Package rollback puts a worker back to a snapshot after each of its calls: memory, mappings, descriptors and
// registers become those of the moment at which it had loaded its function and served nobody. It is the host's side;
// the worker's is runner-js/native/park.h and track.h. It needs Linux 6.7 on x86-64: see promises.go for each promise
// of the kernel that it rests on. Elsewhere everything here returns ErrUnsupported.
//
//	host                                 worker (its stub, in native/park.h)            worker (JavaScript)
//	 │ FORK with a Handover ──────────────▶ userfaultfd, the list mapped read-only,
//	 │                                      a filter that notifies the host
//	 │ ◀─── userfaultfd, notifier, addresses
//	 │                                                                                   ready
//	 │ ◀──────────────────────── parks: a notification from a known instruction ◀──────── wants a frame
//	 │ Release ───────────────────────────▶ reads a byte ────────────────────────────────▶ load frame: compiles
//	 │ ◀──────────────────────────────────── parks
//	 │ Snapshot: copies what there is, protects every page against writes
//	 │ ═══ from here on for each call ═══
//	 │ Release ───────────────────────────▶ copies the pages of the list over its own,
//	 │                                      reads a byte, takes the registers of the ────▶ invoke frame: the call
//	 │                                      snapshot
//	 │ ◀──────────────────────────────────────────────────────────────────────────────── answer
//	 │ ◀──────────────────────────────────── parks
//	 │ Rollback:  system calls that leave something behind?  close, drain, or retire
//	 │            more threads?                              retire
//	 │            mappings changed?                          have the stub change them back, compare, or retire
//	 │            pages written outside the list?            write them back, protect them again
//	 ▼            … and Release again
//
// # What the proof is
//
// A page that a call may not leave changed is protected (asynchronous write protection of userfaultfd). The first write
// to it is a page fault, which lifts the protection and counts. Pages that most calls write are not protected: they are
// on the list, and the stub copies them back without being asked. So when a call has caused no page fault, nothing but
// the pages of the list was written. When the count differs, a scan (PAGEMAP_SCAN) names the pages.
//
// System calls that can leave something in the kernel are told to the host before they happen (seccomp user
// notification). The host looks at their numbers and at arguments that are passed by value, never at memory, which may
// change under its eyes. What it does not know ends the worker.
//
// # When in doubt
//
// Rollback returns a *RetireError, and the worker must be killed. Compare reads all of a worker and compares it with
// the snapshot: tests run it after each call, servers after one call in many.
package rollback
