package seccomp

import "slices"

// sockets are the calls that connect a worker to its egress.
var sockets = []string{
	"connect", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "sendmsg", "recvmsg", "recvfrom",
	"sendto", "socket",
}

// Program is the policy for a program in Go that is yet to be executed, and then reads its standard input, writes its
// standard output and has files of its own: a worker's without connections.
func Program() Policy {
	p := Worker()
	p.Deadly = slices.DeleteFunc(p.Deadly, func(name string) bool { return name == "execve" })
	p.Allowed = slices.DeleteFunc(p.Allowed, func(r Rule) bool { return slices.Contains(sockets, r.Name) })
	p.Allowed = append(p.Allowed,
		Rule{Name: "execve"},
		// Go interrupts its own threads with SIGURG. In a PID namespace there is nobody else to signal.
		Rule{Name: "tgkill"},
	)
	return p
}
