package migration

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Source lists all stored functions, one at a time, and their namespaces.
type Source interface {
	Walk(ctx context.Context, visit func(*function.Stored) error) error
	GetNamespace(ctx context.Context, name string) (*function.Namespace, error)
}

// Compiler compiles code for a runtime, "" for that of functions that ask for none, and runs nothing.
type Compiler interface {
	// Compile says why code does not compile.
	Compile(ctx context.Context, runtime, filename, code string) (fault string, err error)
	// Behind says why code, as it is stored, does not run in Backstage Functions, as far as this runtime can tell. Detail
	// is what it says of code that does not compile.
	Behind(ctx context.Context, runtime, filename, stored string) (reason Behind, detail string, err error)
}

// Behind is why code does not run in Backstage Functions, which writes a call of main directly after it.
type Behind string

// Values of Behind.
const (
	Refused Behind = "refused" // the call does not compile there
	Lost    Behind = "lost"    // the call is part of a comment
	Syntax  Behind = "syntax"  // the code does not compile, with or without the call
	Module  Behind = "module"  // neither does an ES module
	NoMain  Behind = "main"    // it has no main, but what may be called here
	Unknown Behind = "unknown" // the compiler could not tell
)

// backTexts say what Behind means to a function. Syntax and Unknown get their detail.
var backTexts = map[Behind]string{
	Refused: "runs here, but does not compile in Backstage Functions, because a semicolon is missing at its end: put it " +
		"again here, or end it with one",
	Lost: "runs here, but is never answered in Backstage Functions, because it ends in a comment: put it again here, or " +
		"end it with a line feed",
	Syntax: "runs here, but does not compile in Backstage Functions, whose Node.js 8 does not know all of its syntax: " +
		"translate it for Node.js 8. ",
	Module: "runs here, but does not compile in Backstage Functions, because it is an ES module: require what it " +
		"imports, and declare a function main in place of its exports",
	NoMain:  "has no main at its top level, which Backstage Functions calls: declare a function main",
	Unknown: "whether it runs in Backstage Functions is not known: ",
}

// Check is what functions are compared with.
type Check struct {
	Source   Source
	Compiler Compiler
	// Runtimes are the names of the runtimes; functions that ask for none get the first.
	Runtimes []string
	// Original is the runtime that knows as much as the Node.js 8 of Backstage Functions; empty if there is none. What is
	// too new for that is then not found.
	Original string
	// Modules are the modules that functions may require.
	Modules []string
	Limits  function.Limits
	// Reach says why functions of a namespace may not reach a port of a host, and what EGRESS_ALLOW would have to list to
	// allow it. Why is empty if they may; allow is empty if that would not help, or the port is not known: port 0 stands
	// for any. Nil skips this check.
	Reach func(ctx context.Context, namespace, host string, port uint16) (why, allow string)
	// SentryDSN is the server's own Sentry project; functions may report to its host as well. Empty for none.
	SentryDSN string
	// TimeZone is the server's, empty for UTC; IsZone says whether a name is a time zone.
	TimeZone string
	IsZone   func(name string) bool
	// Found gets every finding, Seen the number of functions checked so far, after each.
	Found func(Finding) error
	Seen  func(functions int)

	namespaces map[string]bool // those already checked
}

// Run checks every function.
func (c *Check) Run(ctx context.Context) (functions int, err error) {
	c.namespaces = map[string]bool{}
	err = c.Source.Walk(ctx, func(s *function.Stored) error {
		if s.Listed != "" {
			return c.Found(Finding{Kind: Names, Ref: s.Ref, Text: listed(s.Listed)})
		}
		functions++
		err := c.one(ctx, s)
		c.Seen(functions)
		return err
	})
	return functions, err
}

func (c *Check) one(ctx context.Context, s *function.Stored) error {
	texts := map[Kind][]string{Names: names(s)}
	if err := c.namespace(ctx, s.Ref.Namespace); err != nil {
		return err
	}
	if s.Function == nil {
		texts[Names] = append(texts[Names], "the record is larger than the server reads: put it again in smaller parts, or "+
			"raise BODY_PARSER_LIMIT")
		return c.tell(s.Ref, texts)
	}
	code, back, err := c.code(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Ref, err)
	}
	texts[Env], texts[Code], texts[Back] = c.env(s), code, back
	program := s.Function.Program()
	texts[Modules] = c.modules(program, &s.Options)
	texts[Answers] = append(answers(program), c.zone(s.Env)...)
	if err := c.tell(s.Ref, texts); err != nil {
		return err
	}
	return c.egress(ctx, s.Function)
}

func (c *Check) tell(ref function.Ref, texts map[Kind][]string) error {
	for _, kind := range Kinds() {
		for _, text := range texts[kind] {
			if err := c.Found(Finding{Kind: kind, Ref: ref, Text: text}); err != nil {
				return err
			}
		}
	}
	return nil
}

func listed(member string) string {
	return fmt.Sprintf("is in the list of functions, as %q, without a record: lists may show it, and calls are answered "+
		"404. "+
		"Put it again, or DELETE it", member)
}

// names finds names that collide.
func names(s *function.Stored) (texts []string) {
	if s.Unclear {
		return append(texts, "may belong to another function whose name collides with this one: "+
			"none of them is found here until it is put again")
	}
	if len(s.Meets) > 0 {
		text := "is one record with " + refs(s.Meets) + " in Backstage Functions; here it is this function alone"
		if len(s.Lost) > 0 {
			text += ". Not found here until put again: " + refs(s.Lost)
		}
		texts = append(texts, text)
	}
	if s.Twice {
		return append(texts, "is stored twice, as Backstage Functions has it and with its namespace percent-encoded: the "+
			"one that was written last counts")
	}
	if s.Apart {
		texts = append(texts, "is not seen by Backstage Functions: its namespace is percent-encoded in Redis, because its "+
			"name collides with another one there, "+
			"an earlier version wrote it, or the name itself contains %2F, %3A or %25")
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

// env finds variables that no PUT here can leave.
func (c *Check) env(s *function.Stored) (texts []string) {
	if s.EnvError != nil {
		return []string{fmt.Sprintf("its variables are lost, because they are not a JSON object (%v): put its env again",
			s.EnvError)}
	}
	if odd := s.Env.Odd(); len(odd) > 0 {
		texts = append(texts, fmt.Sprintf("variables that are neither strings nor numbers nor booleans reach it as they "+
			"are: %s", strings.Join(odd, ", ")))
	}
	if scalars := s.Env.Scalars(); len(scalars) > 0 {
		texts = append(texts, "variables that are numbers or booleans reach it as they are, and GET shows them so, "+
			"but a PUT takes only strings: "+strings.Join(scalars, ", "))
	}
	if err := c.Limits.Check(s.Env); err != nil {
		texts = append(texts, err.Error())
	}
	return texts
}

// code finds code that does not compile here, and what does not run in Backstage Functions.
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
	fault, err := c.Compiler.Compile(ctx, runtime, s.Filename(), s.Function.Program())
	if err != nil {
		return nil, nil, err
	}
	if fault != "" {
		code = append(code, "does not compile on "+runtime+": "+fault)
	}
	if s.OfFiles() {
		back = append(back, "was deployed with files, and does not run in Backstage Functions: deploy it there as code")
		return code, back, nil
	}
	if fault != "" {
		return code, nil, nil // it does not run here either
	}
	reason, detail, err := c.Compiler.Behind(ctx, cmp.Or(c.Original, runtime), s.Filename(), s.Code)
	if text := backTexts[reason]; text != "" {
		back = append(back, text+detail)
	}
	return code, back, err
}
