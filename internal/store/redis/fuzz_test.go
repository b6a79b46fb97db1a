package redis

import (
	"testing"

	"github.com/backstage/functions/internal/function"
)

// Others can write to the same Redis, so that a record may hold anything.
func FuzzRecordsAreReadWhateverTheyHold(f *testing.F) {
	f.Add("code", "hash", `{"A":"1"}`, "id", "2020-01-01", "2020-01-01", "node8", "1")
	f.Add("", "", "", "", "", "", "", "")
	f.Add("x", "", "[1", "\xff", "", "", "", "-1")
	f.Fuzz(func(t *testing.T, code, hash, env, version, created, updated, runtime, invocations string) {
		values := make([]any, len(functionFields))
		for i, text := range []string{code, hash, env, version, created, updated, runtime, invocations} {
			values[i] = text
		}
		fn := decodeFunction(ref, values)
		if (fn == nil) != (field(values, 0) == "") {
			t.Fatalf("a record with code %q is read as %+v", code, fn)
		}
		if fn == nil {
			return
		}
		if fn.Ref != ref || fn.Code != code || fn.Revision() == "" {
			t.Errorf("read as %+v", fn)
		}
		if _, err := fn.Env.MarshalJSON(); err != nil {
			t.Errorf("environment %q: %v", env, err)
		}
	})
}

func FuzzNoticesAreAboutWhatTheySay(f *testing.F) {
	for _, seed := range []string{"", "function:a:b", "function:a%2Fb:c", "namespace:a", "namespace:a/b", "function:", "namespace:", "schema:1", "routes"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := parseNotice(text)
		switch {
		case c == (function.Change{All: true}):
		case c == (function.Change{Routes: true}) && text == routesNotice:
		case c == (function.Change{Keys: true}) && text == keysNotice:
		case c == (function.Change{Limits: true}) && text == limitsNotice:
		case c == (function.Change{Public: true}) && text == publicNotice:
		case c.Namespace != "" && namespaceNotice(c.Namespace) == text, c.Namespace == "" && functionNotice(c.Ref) == text:
		default:
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}
