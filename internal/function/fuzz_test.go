package function

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzEnvironmentsComeBackFromJSON(f *testing.F) {
	f.Add("A", "1", "2", "x")
	f.Add("1", "", "1", "y")
	f.Add("__proto__", "\x00", "10", "</script>")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		for _, text := range []*string{&name1, &value1, &name2, &value2} {
			*text = strings.ToValidUTF8(*text, "?")
		}
		env := NewEnv(Var{name1, value1})
		env.Set(name2, value2)
		text, err := env.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		read := new(Env)
		if err := json.Unmarshal(text, read); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := read.MarshalJSON()
		if err != nil || string(again) != string(text) {
			t.Errorf("%s comes back as %s, %v", text, again, err)
		}
		if got, ok := read.Get(name2); !ok || got != value2 {
			t.Errorf("%q is %q, %v, want %q", name2, got, ok, value2)
		}
	})
}
