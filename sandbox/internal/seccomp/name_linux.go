package seccomp

import "github.com/elastic/go-seccomp-bpf/arch"

// NameOf is the name of the system call of a number on this machine, such as "prctl"; empty for one that is not known.
func NameOf(number int) string {
	here, err := arch.GetInfo("")
	if err != nil {
		return ""
	}
	return here.SyscallNumbers[number]
}
