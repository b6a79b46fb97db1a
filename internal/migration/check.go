package migration

import (
	"context"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Source shows all stored functions, one at a time.
type Source interface {
	Walk(ctx context.Context, visit func(*function.Stored) error) error
}

// Compiler compiles code for a runtime, "" for that of functions which ask for none, and runs nothing.
type Compiler interface {
	// Compile says why code does not compile, and what becomes of a call right behind it as it is stored.
	Compile(ctx context.Context, runtime, filename, code, stored string) (fault string, behind Behind, err error)
}

// Behind says what becomes of what stands right behind code.
type Behind string

// What can become of it.
const (
	Refused Behind = "refused" // it does not compile
	Lost    Behind = "lost"    // it is part of a comment
)

// Check is what a function is held against.
type Check struct {
	Source   Source
	Compiler Compiler
	// Runtimes are the names of those that there are, the first one that of functions which ask for none.
	Runtimes []string
	// Modules are what functions may require.
	Modules []string
	Limits  function.Limits
	// Reach says why functions of a namespace may not reach a port of a host, in a word and with what would allow it; empty when they may. Nil is for
	// a check without that.
	Reach func(ctx context.Context, namespace, host string, port uint16) string
	// Found is told of everything, Seen of how many functions were looked at, after each.
	Found func(Finding) error
	Seen  func(functions int)
}

// Run looks at every function.
func (c *Check) Run(ctx context.Context) (functions int, err error) {
	err = c.Source.Walk(ctx, func(s *function.Stored) error {
		functions++
		err := c.one(ctx, s)
		c.Seen(functions)
		return err
	})
	return functions, err
}

func (c *Check) one(ctx context.Context, s *function.Stored) error {
	texts := map[Kind][]string{Names: names(s)}
	if s.Function == nil {
		texts[Names] = append(texts[Names], "the record is larger than the server reads: put it again in smaller parts, or raise BODY_PARSER_LIMIT")
		return c.tell(s.Ref, texts)
	}
	code, back, err := c.code(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref, err)
	}
	texts[Env], texts[Code], texts[Back] = c.env(s), code, back
	texts[Modules], texts[Egress], texts[Answers] = c.modules(s.Function.Code), c.egress(ctx, s.Function), answers(s.Function.Code)
	return c.tell(s.Ref, texts)
}

func (c *Check) tell(ref function.Ref, texts map[Kind][]string) error {
	for _, kind := range Kinds() {
		for _, text := range texts[kind] {
			if err := c.Found(Finding{kind, ref, text}); err != nil {
				return err
			}
		}
	}
	return nil
}

// names tells where names meet.
func names(s *function.Stored) (texts []string) {
	if len(s.Meets) > 0 {
		texts = append(texts, "is one record with "+refs(s.Meets)+" in Backstage Functions; here it is this function alone, and no other is found until it is put again")
	}
	if s.Twice {
		return append(texts, "is stored twice, as Backstage Functions has it and with its namespace percent-encoded: the one that was written last counts")
	}
	if s.Apart {
		texts = append(texts, "is not seen by Backstage Functions: its namespace is percent-encoded in Redis, since its name meets another one there, "+
			"an earlier version wrote it, or the name itself holds %2F, %3A or %25")
	}
	return texts
}

func refs(all []function.Ref) string {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = fmt.Sprintf("%q of namespace %q", r.ID, r.Namespace)
	}
	return strings.Join(texts, " and ")
}

// env tells of variables that no PUT can have left.
func (c *Check) env(s *function.Stored) (texts []string) {
	if s.EnvError != nil {
		return []string{fmt.Sprintf("its variables are lost, they are no JSON object (%v): put its env again", s.EnvError)}
	}
	if odd := s.Env.Odd(); len(odd) > 0 {
		texts = append(texts, fmt.Sprintf("variables that are neither text nor numbers nor booleans reach it as they stand: %s", strings.Join(odd, ", ")))
	}
	if err := c.Limits.Check(s.Env); err != nil {
		texts = append(texts, err.Error())
	}
	return texts
}

// code tells whether code compiles, here and behind what it is stored as.
func (c *Check) code(ctx context.Context, s *function.Stored) (code, back []string, err error) {
	runtime := c.Runtimes[0]
	if s.Options.Runtime != nil {
		runtime = *s.Options.Runtime
	}
	found := false
	for _, name := range c.Runtimes {
		found = found || name == runtime
	}
	if !found {
		return []string{fmt.Sprintf("asks for the runtime %s, which is not among RUNTIMES", runtime)}, nil, nil
	}
	fault, behind, err := c.Compiler.Compile(ctx, runtime, s.Filename(), s.Function.Code, s.Code)
	if fault != "" {
		code = append(code, "does not compile on "+runtime+": "+fault)
	}
	switch behind {
	case Refused:
		back = append(back, "runs here, but does not compile in Backstage Functions, for want of a semicolon at its end: put it again here, or end it with one")
	case Lost:
		back = append(back, "runs here, but is never answered in Backstage Functions, since it ends in a comment: put it again here, or end it with a line feed")
	}
	return code, back, err
}
