package seccomp

import (
	"encoding/binary"
	"fmt"
	"syscall"

	libseccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
)

// x32 is the bit that marks a call of the x32 ABI, which shares the architecture of x86-64 but not its numbers.
const x32 = 0x40000000

// Compile turns p into a program for seccomp(2): an array of struct sock_filter in the machine's byte order.
func Compile(p Policy) ([]byte, error) {
	instructions, err := assemble(p)
	if err != nil {
		return nil, fmt.Errorf("seccomp: %w", err)
	}
	raw, err := bpf.Assemble(instructions)
	if err != nil {
		return nil, fmt.Errorf("seccomp: %w", err)
	}
	var program []byte
	for _, in := range raw {
		program = binary.NativeEndian.AppendUint16(program, in.Op)
		program = append(program, in.Jt, in.Jf)
		program = binary.NativeEndian.AppendUint32(program, in.K)
	}
	return program, nil
}

func assemble(p Policy) ([]bpf.Instruction, error) {
	here, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	policy := libseccomp.Policy{DefaultAction: libseccomp.ActionErrno} // the library makes that EPERM
	if p.Others {
		policy.DefaultAction = libseccomp.ActionAllow
	}
	var plain []string
	var conditional []libseccomp.NameWithConditions
	for _, rule := range p.Allowed {
		if len(rule.Args) == 0 {
			plain = append(plain, rule.Name)
			continue
		}
		for _, args := range rule.Args {
			conditional = append(conditional, libseccomp.NameWithConditions{Name: rule.Name, Conditions: conditions(args)})
		}
	}
	policy.Syscalls = []libseccomp.SyscallGroup{
		{Names: plain, Action: libseccomp.ActionAllow},
		{Names: p.Unknown, Action: errno(syscall.ENOSYS)},
		{Names: p.Refused, Action: errno(syscall.EINVAL)},
		{Names: known(here, p.Deadly), Action: libseccomp.ActionKillProcess},
		// They come last: what is compared after them is an argument, and no longer the number of the call.
		{NamesWithCondtions: conditional, Action: libseccomp.ActionAllow},
	}
	rest, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	// A foreign ABI has other numbers for the same calls, so that no list here holds for it: it ends the process.
	const archOffset, numberOffset = 4, 0
	head := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(here.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(libseccomp.ActionKillProcess)},
		bpf.LoadAbsolute{Off: numberOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32, SkipTrue: 1},
		bpf.RetConstant{Val: uint32(libseccomp.ActionKillProcess)},
	}
	return append(head, rest...), nil
}

func errno(e syscall.Errno) libseccomp.Action { return libseccomp.ActionErrno | libseccomp.Action(e) }

// known drops the calls that this architecture never had.
func known(here *arch.Info, names []string) []string {
	var out []string
	for _, name := range names {
		if _, ok := here.SyscallNames[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

// conditions says of each argument that it lies in a range, or that its selected bits equal a value: the bits that are
// set in it, and those that are not. The library calls bits set when one of them is, so that a value under a mask may
// have one bit only.
func conditions(args []Arg) libseccomp.ArgumentConditions {
	var out libseccomp.ArgumentConditions
	for _, a := range args {
		if a.Max != 0 {
			out = append(out,
				libseccomp.Condition{Argument: a.Index, Operation: libseccomp.GreaterOrEqual, Value: a.Min},
				libseccomp.Condition{Argument: a.Index, Operation: libseccomp.LessOrEqual, Value: a.Max})
			continue
		}
		if a.Mask == 0 {
			out = append(out, libseccomp.Condition{Argument: a.Index, Operation: libseccomp.Equal, Value: a.Value})
			continue
		}
		out = append(out,
			libseccomp.Condition{Argument: a.Index, Operation: libseccomp.BitsSet, Value: a.Value},
			libseccomp.Condition{Argument: a.Index, Operation: libseccomp.BitsNotSet, Value: a.Mask &^ a.Value})
	}
	return out
}
