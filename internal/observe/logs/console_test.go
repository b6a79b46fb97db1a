package logs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

var (
	_ invoke.Output = (*Console)(nil)
	_ invoke.Output = (*GELF)(nil)
)

func TestConsoleLabelsTheLinesOfAFunction(t *testing.T) {
	var out, err bytes.Buffer
	run := NewConsole(&out, &err).Start(invoke.Call{Ref: function.Ref{Namespace: "shop", ID: "price"}})
	run.Line(sandbox.LogLine{Level: "info", Text: "one"})
	run.Line(sandbox.LogLine{Level: "info", Text: ""})
	run.Line(sandbox.LogLine{Level: "error", Text: "two"})
	run.Line(sandbox.LogLine{Level: "info", Text: "\tthree \"quoted\" \\"})
	run.Finish(200, time.Second)
	if want := "info: [namespace:shop, id:price] one\ninfo: [namespace:shop, id:price] \tthree \"quoted\" \\\n"; out.String() != want {
		t.Errorf("standard output %q, want %q", &out, want)
	}
	if want := "error: [namespace:shop, id:price] two\n"; err.String() != want {
		t.Errorf("standard error %q, want %q", &err, want)
	}
}

func TestJSONConsoleWritesAnObjectALine(t *testing.T) {
	var out, err bytes.Buffer
	console := NewJSONConsole(&out, &err)
	run := console.Start(invoke.Call{ID: "call-1", Ref: function.Ref{Namespace: "sh\"op", ID: "price"}})
	run.Line(sandbox.LogLine{Level: "info", Text: "one\x1b\u009b\u2028\n\ntwo"})
	run.Finish(200, time.Second)
	console.Print(function.Ref{Namespace: "a", ID: "b"}, sandbox.LogLine{Level: "error", Text: "three"})
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"standard output", out.String(), []string{
			`"level":"info","message":"one\u001b\u009b\u2028","namespace":"sh\"op","id":"price","requestId":"call-1","function_id":"price","request_id":"call-1"}`,
			`"level":"info","message":"two","namespace":"sh\"op","id":"price","requestId":"call-1","function_id":"price","request_id":"call-1"}`,
		}},
		{"standard error", err.String(), []string{`"level":"error","message":"three","namespace":"a","id":"b","function_id":"b"}`}},
	} {
		lines := strings.Split(strings.TrimSuffix(row.text, "\n"), "\n")
		if len(lines) != len(row.want) {
			t.Fatalf("%s: %q", row.name, row.text)
		}
		for i, line := range lines {
			var object struct{ Time time.Time }
			if err := json.Unmarshal([]byte(line), &object); err != nil || object.Time.IsZero() || !strings.HasSuffix(line, ","+row.want[i]) {
				t.Errorf("%s: %v: %s", row.name, err, line)
			}
		}
	}
}

func TestPrintWritesSeveralLines(t *testing.T) {
	var out, err bytes.Buffer
	NewConsole(&out, &err).Print(function.Ref{Namespace: "a", ID: "b"}, sandbox.LogLine{Level: "error", Text: "one\n\ntwo\n"})
	if want := "error: [namespace:a, id:b] one\nerror: [namespace:a, id:b] two\n"; err.String() != want {
		t.Errorf("standard error %q, want %q", &err, want)
	}
}

func TestFunctionCannotForgeALine(t *testing.T) {
	var out bytes.Buffer
	console := NewConsole(&out, &out)
	console.Print(function.Ref{Namespace: "a\nb", ID: "c\x1b"}, sandbox.LogLine{Level: "info", Text: "x\rerror: y\x1b]0;title\x07\u009b"})
	if want := `info: [namespace:a\nb, id:c\u001b] x\rerror: y\u001b]0;title\u0007\u009b` + "\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", &out, want)
	}
}

func BenchmarkConsoleLine(b *testing.B) {
	run := NewConsole(&pieces{}, nil).Start(invoke.Call{Ref: function.Ref{Namespace: "a", ID: "b"}})
	b.ReportAllocs()
	for b.Loop() {
		run.Line(sandbox.LogLine{Level: "info", Text: "hello"})
	}
}
