package migration

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// stored is a Source of what a test stores.
type stored struct {
	functions  []*function.Stored
	namespaces map[string]string // their sentryDSN
}

func (s *stored) Walk(_ context.Context, visit func(*function.Stored) error) error {
	for _, f := range s.functions {
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *stored) GetNamespace(_ context.Context, name string) (*function.Namespace, error) {
	if dsn, ok := s.namespaces[name]; ok {
		return &function.Namespace{Name: name, SentryDSN: &dsn}, nil
	}
	return nil, function.ErrNamespaceNotFound
}

func (*stored) Compile(context.Context, string, string, string) (string, error) { return "", nil }

func (*stored) Behind(context.Context, string, string, string) (Behind, string, error) {
	return "", "", nil
}

func TestWhatIsStoredIsHeldAgainstTheServer(t *testing.T) {
	source := &stored{namespaces: map[string]string{
		"a": "https://k@inner.example/1", "b": "https://k@sentry.example/2", "c": "no address", "d": "http://k@inner.example/3",
	}}
	add := func(namespace, id, env string) *function.Stored {
		f := &function.Function{Ref: function.Ref{Namespace: namespace, ID: id}}
		if env != "" {
			f.Env = &function.Env{}
			if err := json.Unmarshal([]byte(env), f.Env); err != nil {
				t.Fatal(err)
			}
		}
		s := &function.Stored{Function: f, Ref: f.Ref}
		source.functions = append(source.functions, s)
		return s
	}
	add("a", "1", "")
	add("a", "2", `{"N":1,"S":"1","T":true,"O":{}}`)
	add("b", "own", `{"sentryDSN":"https://k@inner.example:8443/1"}`)
	add("b", "servers", `{"sentryDSN":"https://k@sentry.example/9"}`)
	add("b", "number", `{"sentryDSN":1}`)
	add("c", "zone", `{"TZ":"Asia/Tokyo"}`)
	add("c", "same", `{"TZ":"Europe/Lisbon"}`)
	add("c", "bad", `{"TZ":"BRT3"}`)
	add("d", "x", "")
	found := add("a", "b/c", "")
	found.Meets = []function.Ref{{Namespace: "a/b", ID: "c"}}
	lost := add("a", "d/e", "")
	lost.Meets, lost.Lost = []function.Ref{{Namespace: "a/d", ID: "e"}}, []function.Ref{{Namespace: "a/d", ID: "e"}}
	source.functions = append(source.functions, &function.Stored{Ref: function.Ref{Namespace: "ns", ID: "gone"}, Listed: "ns:gone"})

	var got []string
	c := &Check{
		Source: source, Compiler: source, Runtimes: []string{"node8"}, SentryDSN: "https://x@sentry.example/1", TimeZone: "Europe/Lisbon",
		IsZone: func(name string) bool { return name == "Asia/Tokyo" },
		Reach: func(_ context.Context, _, host string, port uint16) (why, allow string) {
			return "private", target{host, port}.String()
		},
		Found: func(f Finding) error {
			got = append(got, string(f.Kind)+" "+subject(f.Ref)+f.Text+" "+f.Allow)
			return nil
		},
		Seen: func(int) {},
	}
	if n, err := c.Run(t.Context()); n != len(source.functions)-1 || err != nil {
		t.Errorf("looked at %d, %v", n, err)
	}
	for _, want := range []string{
		"egress namespace a: the host of its sentryDSN: inner.example:443: private inner.example:443",
		"egress namespace d: the host of its sentryDSN: inner.example:80: private inner.example:80",
		"egress namespace b, function own: the host of its sentryDSN: inner.example:8443: private inner.example:8443",
		"env namespace a, function 2: variables that are numbers or booleans", "only strings: N, T ",
		"env namespace a, function 2: variables that are neither strings nor numbers nor booleans reach it as they are: O ",
		"env namespace b, function number: variables that are numbers or booleans",
		"answers namespace c, function zone: its variable TZ sets its time zone here: dates are in Asia/Tokyo",
		`answers namespace c, function bad: its variable TZ is "BRT3", which is not a name`,
		"names namespace a, function b/c: is one record with \"c\" of namespace \"a/b\" in Backstage Functions; here it is this function alone ",
		"function alone. Not found here until put again: \"e\" of namespace \"a/d\"",
		`names namespace ns, function gone: is in the list of functions, as "ns:gone", without a record`,
	} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q is missing in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 11 {
		t.Errorf("%d are found, want 11:\n%s", len(got), strings.Join(got, "\n"))
	}
}

// compiler is a Compiler that knows by heart what it is asked.
type compiler struct {
	faults map[string]string    // by runtime and code
	behind map[string][2]string // reason and detail
}

func (c *compiler) Compile(_ context.Context, runtime, _, code string) (string, error) {
	return c.faults[runtime+" "+code], nil
}

func (c *compiler) Behind(_ context.Context, runtime, _, stored string) (reason Behind, detail string, err error) {
	found := c.behind[runtime+" "+stored]
	return Behind(found[0]), found[1], nil
}

func TestWhatDoesNotRunAfterAReturnHasItsReason(t *testing.T) {
	c := &compiler{
		faults: map[string]string{"node8 broken": "SyntaxError: x"},
		behind: map[string][2]string{
			"node8 refused": {"refused"}, "node8 lost": {"lost"}, "node8 new": {"syntax", "SyntaxError: x at a:1:2"}, "node8 module": {"module"},
			"node8 exports": {"main"}, "node8 broken": {"syntax", "no"}, "node8 huge": {"unknown", "it ended"}, "node24 module": {"module"},
		},
	}
	for _, row := range []struct{ original, runtime, code, back string }{
		{"node8", "node24", "good", ""},
		{"node8", "node24", "refused", "because a semicolon is missing at its end"},
		{"node8", "node8", "lost", "because it ends in a comment"},
		{"node8", "node24", "new", "whose Node.js 8 does not know all of its syntax: translate it for Node.js 8. SyntaxError: x at a:1:2"},
		{"node8", "node24", "module", "because it is an ES module"},
		{"node8", "node24", "exports", "has no main at its top level, which Backstage Functions calls: declare a function main"},
		{"node8", "node8", "broken", ""},
		{"node8", "node24", "huge", "is not known: it ended"},
		{"", "node24", "new", ""},
		{"", "node24", "module", "because it is an ES module"},
	} {
		check := &Check{Compiler: c, Runtimes: []string{"node8", "node24"}, Original: row.original}
		f := &function.Function{Code: row.code}
		f.Options.Runtime = &row.runtime
		_, back, err := check.code(t.Context(), &function.Stored{Function: f, Code: row.code})
		if got := strings.Join(back, "|"); err != nil || (got == "") != (row.back == "") || !strings.Contains(got, row.back) {
			t.Errorf("%s on %s: %q, %v, want %q", row.code, row.runtime, got, err, row.back)
		}
	}
}
