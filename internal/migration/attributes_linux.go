package migration

import "syscall"

// ofThread has a process end with the thread that starts it: prctl(2), PR_SET_PDEATHSIG.
func ofThread(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
