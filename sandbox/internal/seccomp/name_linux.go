package seccomp

import (
	"fmt"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// Describe names the system call of a number on this machine, for people: "system call prctl (157)". One that is not
// known has its number alone.
func Describe(number int) string {
	here, err := arch.GetInfo("")
	if err != nil || here.SyscallNumbers[number] == "" {
		return fmt.Sprintf("system call %d", number)
	}
	return fmt.Sprintf("system call %s (%d)", here.SyscallNumbers[number], number)
}
