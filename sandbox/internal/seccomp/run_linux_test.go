package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
)

// Architectures as audit.h names them, and what a filter answers.
const (
	archX8664 = 0xc000003e
	archI386  = 0x40000003
	archARM64 = 0xc00000b7

	allow   = 0x7fff0000
	eperm   = 0x00050000 | 1
	einval  = 0x00050000 | 22
	enosys  = 0x00050000 | 38
	killAll = 0x80000000
)

// answer runs the program of policy on one call, as the kernel would. The kernel hands a filter numbers in the machine's byte order and the
// interpreter loads them big-endian, so that each word is laid out that way here.
func answer(t *testing.T, policy Policy, arch, number uint32, args ...uint64) uint32 {
	t.Helper()
	program, err := Compile(policy)
	if err != nil {
		t.Fatal(err)
	}
	var raw []bpf.RawInstruction
	for at := 0; at < len(program); at += 8 {
		raw = append(raw, bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(program[at:]), Jt: program[at+2], Jf: program[at+3], K: binary.NativeEndian.Uint32(program[at+4:]),
		})
	}
	instructions, all := bpf.Disassemble(raw)
	if !all {
		t.Fatal("the program holds instructions that are unknown")
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64) // struct seccomp_data
	binary.BigEndian.PutUint32(data[0:], number)
	binary.BigEndian.PutUint32(data[4:], arch)
	for i, arg := range args {
		binary.BigEndian.PutUint32(data[16+8*i:], uint32(arg)) // the low half comes first
		binary.BigEndian.PutUint32(data[20+8*i:], uint32(arg>>32))
	}
	verdict, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(verdict)
}
