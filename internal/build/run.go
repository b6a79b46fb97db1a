package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/build/bundle"
	"github.com/backstage/functions/sandbox"
)

// run builds in a process of its own.
func (p *Pool) run(ctx context.Context, in *Input) (Output, error) {
	request, err := p.request(in)
	if err != nil {
		return Output{}, err
	}
	defer request.close()
	ended, err := p.program.Run(ctx, request)
	if err == nil {
		err = request.fault() // else it is the cause of whatever the child says
	}
	if err != nil {
		return Output{}, fmt.Errorf("build: %w", err)
	}
	if ended.End != sandbox.ProgramDone {
		return Output{}, p.explain(in, ended)
	}
	return p.read(ended.Stdout)
}

// read takes an answer apart. The child has read what nobody has checked: what it says is checked here.
func (p *Pool) read(stdout []byte) (Output, error) {
	rest := bytes.NewReader(stdout)
	var answer bundle.Answer
	if err := bundle.ReadHead(rest, &answer); err != nil {
		return Output{}, fmt.Errorf("build: answer: %w", err)
	}
	switch {
	case len(answer.Errors) > 0:
		return Output{}, &Error{Messages: answer.Errors}
	case answer.TooLarge != "":
		return Output{}, tooLarge("%s", answer.TooLarge)
	}
	content := stdout[len(stdout)-rest.Len():]
	if answer.Code < 0 || answer.Map < 0 || answer.Code > len(content) || answer.Map != len(content)-answer.Code ||
		answer.Code > p.cfg.MaxCode {
		return Output{}, errors.New("build: answer: its sizes do not fit")
	}
	return Output{
		Code: content[:answer.Code:answer.Code], Map: content[answer.Code:], Warnings: answer.Warnings, Web: answer.Web,
	}, nil
}

// explain says why a child gave no answer.
func (p *Pool) explain(in *Input, ended *sandbox.ProgramResult) error {
	switch {
	case strings.Contains(ended.Stderr, bundle.StackOverflow):
		return &Error{Messages: []Message{{
			File: onlyFile(in), Text: "the code is nested too deeply", Hint: "break up what is nested, or generate less of it",
		}}}
	case ended.End == sandbox.ProgramMemory, ended.End == sandbox.ProgramExit && outOfMemory(ended.Stderr):
		return tooLarge("the build takes more than the %d MiB of memory that one may have (BUILD_MEMORY_LIMIT)",
			p.cfg.Memory>>20)
	case ended.End == sandbox.ProgramTime:
		return fmt.Errorf("%w: more than %v of processor time", ErrTimeout, p.cfg.Timeout)
	case ended.End == sandbox.ProgramOutput:
		return tooLarge("the result of the build is larger than %d bytes", p.cfg.MaxCode)
	case ended.End == sandbox.ProgramServerMemory:
		return fmt.Errorf("%w: this machine has no memory left for it", ErrBusy)
	}
	return fmt.Errorf("build: the process has ended: %s, exit code %d: %.500s", ended.End, ended.ExitCode, ended.Stderr)
}

// outOfMemory says whether the Go runtime ended a child because it got no more memory.
func outOfMemory(stderr string) bool {
	return strings.Contains(stderr, "out of memory") || strings.Contains(stderr, "cannot allocate memory")
}

// onlyFile is the path of the input's file if it has no other code.
func onlyFile(in *Input) string {
	if len(in.Files) == 1 && len(in.Packages)+len(in.Modules) == 0 {
		for name := range in.Files {
			return name
		}
	}
	return ""
}

// tooLarge is an ErrTooLarge that says why.
func tooLarge(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrTooLarge}, args...)...)
}
