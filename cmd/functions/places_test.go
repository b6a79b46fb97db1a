package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// thrower are files of which one throws, at once or when it is called, and prints where it is.
var thrower = map[string]string{
	"index.ts": "import { fail, Input } from './lib/fail'\n\nexport async function main(req: { body: Input }, res: any) {\n" +
		"  console.log(new Error('printed').stack)\n  await null\n  fail(req.body)\n}\n",
	"lib/fail.ts": "export interface Input { a?: { b: number } }\n\nexport function fail(input: Input): never {\n" +
		"  throw new RangeError('no ' + (input.a as any).b)\n}\n",
}

// atOnce is thrower that throws when it is deployed.
var atOnce = map[string]string{
	"index.ts": thrower["index.ts"] + "\nfail({})\n", "lib/fail.ts": thrower["lib/fail.ts"],
}

// Places of errors are those of the author, on every runtime: of code, which runs as it is, of ES modules, which are
// lowered line by line, and of files.
func TestErrorsAreInTheLinesOfTheirAuthor(t *testing.T) {
	outside := newOutside(t)
	s := startServer(t, runtimesVariable(t), "SENTRY_DSN="+strings.Replace(outside.URL, "://", "://key@", 1)+"/1",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+outside.URL, "OPENTRACING_ENGINE=jaeger")
	for _, runtime := range runtimes {
		url, file := s.url+"/functions/places/", func(id string) string { return "places/" + id + "-" + runtime + ".js" }
		option := `"runtime":"` + runtime + `"`
		refused := func(id, body, want string) {
			t.Helper()
			status, answer := request(t, "PUT", url+id+"-"+runtime, body)
			if status != http.StatusBadRequest || !strings.Contains(answer, want) {
				t.Errorf("%s of %s: %d %s, want %s", id, runtime, status, answer, want)
			}
		}
		logged := func(id string, want ...string) {
			t.Helper()
			for _, line := range want {
				eventually(t, line+" in the output of "+id+" on "+runtime, func() bool {
					request(t, "PUT", url+id+"-"+runtime+"/run", `{}`) // a slow machine may have no map in time at first
					_, answer := request(t, "GET", url+id+"-"+runtime+"/logs", "")
					return strings.Contains(answer, line)
				})
			}
		}
		code := func(text string) string { return bodyOf(t, map[string]any{"code": text, "runtime": runtime}) }
		files := func(all map[string]string) string {
			return bodyOf(t, map[string]any{"files": all, "runtime": runtime})
		}

		put(t, url+"code-"+runtime, "\n\nfunction helper(x) {\n  return x.a.b\n}\nfunction main(req, res) {\n  helper({})\n}", option)
		logged("code", "at helper ("+file("code")+":4:14)", "at main ("+file("code")+":7:3)")
		refused("thrown", code("\nfunction f() {\n  throw new Error('x') }\nf()"), `"at f (`+file("thrown")+`:3)\nat `+file("thrown")+`:4`)
		refused("syntax", code("const a = 1\nlet b = ;\nfunction main() {}"), "at "+file("syntax")+":2:9: let b = ;")
		if runtime != "node8" {
			put(t, url+"module-"+runtime, "import { inspect } from 'util'\n\nexport default async req => {\n  await 1\n  null.x\n}", option)
			logged("module", "("+file("module")+":5:8)")
		}

		status, answer := request(t, "PUT", url+"files-"+runtime, files(thrower))
		if status != http.StatusOK {
			t.Fatalf("files on %s: %d %s", runtime, status, answer)
		}
		logged("files", "at fail (lib/fail.ts:4:", "(index.ts:4:15)")
		refused("at-once", files(atOnce), `"stack":"at fail (lib/fail.ts:4:`)
		refused("at-once", files(atOnce), `\nat index.ts:9:1`)
		refused("fault", files(map[string]string{"index.ts": "\nlet a: = 1"}), `"details":[{"file":"index.ts","line":2,"column":8,"source":"let a: = 1","text":"`)
	}
	s.stop(t)
	wantReports(t, outside)
}

// wantReports checks what Sentry and the collector were told of the functions of files, one per runtime.
func wantReports(t *testing.T, o *outside) {
	t.Helper()
	frames := map[any]bool{}
	for _, event := range o.events {
		text, err := json.Marshal(event["exception"])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"filename":"lib/fail.ts"`) &&
			strings.Contains(string(text), `"context_line":"  throw new RangeError('no ' + (input.a as any).b)"`) {
			frames[event["culprit"]] = true
		}
	}
	stacks := 0
	for _, stack := range o.stacks {
		if strings.Contains(stack, "at fail (lib/fail.ts:4:") {
			stacks++
		}
	}
	if len(frames) != len(runtimes) || stacks < len(runtimes) {
		t.Errorf("%d reports and %d spans of %d have the author's lines: %v %q",
			len(frames), stacks, len(runtimes), o.events, o.stacks)
	}
}

func bodyOf(t *testing.T, members map[string]any) string {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
