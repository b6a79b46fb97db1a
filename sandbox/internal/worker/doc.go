// Package worker starts the processes that functions run in, speaks with them in frames, kills them and waits for their
// end. Which call goes to which process, and when, is not its business: package sandbox decides that.
//
//	Starter.Start ──▶ Process ──Serve──▶ Answer, or *Death
//	                     │ Kill(Reason), a deadline, or its own end
//	                     ▼
//	                  Exited is closed: it has been reaped, and its Reason is known
//
// On Linux a process has a cgroup, namespaces, a root of its own and a system-call filter around it, as far as
// the tier of isolation asks; elsewhere New returns ErrUnsupported.
package worker
