package seccomp

// plainHere are the older forms that only this architecture has.
var plainHere = []string{
	"stat", "lstat", "access", "readlink", "open", "dup2", "arch_prctl", "time", "epoll_wait", "poll",
}

// filesHere are such forms of files.
var filesHere = []string{"mkdir", "rmdir", "unlink", "rename", "chmod"}
