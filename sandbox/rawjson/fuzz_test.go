package rawjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func FuzzStringsComeBack(f *testing.F) {
	for _, seed := range []string{
		"", "a", "\"\\\n\x00\x1f", "<&>\u2028", "\xff\xc3", "😀",
		"\ufffd\x7f\u0080\u202e\U000e0041", "eight by\x00te, eight by\x7fte é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := ""
		for _, r := range text { // each byte that is not UTF-8 becomes U+FFFD
			want += string(r)
		}
		for name, write := range map[string]func([]byte, string) []byte{
			"AppendString": AppendString, "AppendVisible": AppendVisible, "AppendASCII": AppendASCII,
		} {
			written := write(nil, text)
			if end, ok := ScanString(written); !ok || end != len(written) {
				t.Errorf("%s: %q is written as %s, a string up to %d, %v", name, text, written, end, ok)
			}
			var read string
			if err := json.Unmarshal(written, &read); err != nil || read != want {
				t.Errorf("%s: %q is written as %s, read as %q, %v", name, text, written, read, err)
			}
			if got := Unquote(written); got != want {
				t.Errorf("%s: %q is written as %s, read here as %q", name, text, written, got)
			}
		}
		quoted, _ := jsontext.AppendQuote(nil, text) // its error tells of what is not UTF-8
		if got := AppendString(nil, text); string(got) != string(quoted) {
			t.Errorf("%q is written as %s, by the library as %s", text, got, quoted)
		}
		if got := AppendASCII(nil, text); strings.ContainsFunc(string(got), func(r rune) bool { return r > 0x7f }) {
			t.Errorf("%q is written as %s, which is not ASCII", text, got)
		}
	})
}

func FuzzStringsAreReadAsByEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`""`, `"a\"\\\/\b\f\n\r\té"`, `"\ud83d\ude00\ud83d\u0041\ud83d"`, "\"\xff\"", `"\u12"`, `"a`, "\"\n\"", `1`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want string
		valid := strings.HasPrefix(text, `"`) && json.Valid([]byte(text))
		end, ok := ScanString([]byte(text))
		if valid && (!ok || strings.TrimSpace(text[end:]) != "") {
			t.Fatalf("%q is a string up to %d, %v", text, end, ok)
		}
		if !ok {
			return
		}
		if err := json.Unmarshal([]byte(text[:end]), &want); err != nil {
			t.Fatalf("%q is no string: %v", text[:end], err)
		}
		if got := Unquote([]byte(text[:end])); got != want {
			t.Errorf("%q is %q, want %q", text[:end], got, want)
		}
	})
}

func FuzzMemberIsSet(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, ` { "b" : [ { } ] , "a" : "x" } `, `[]`, `"{"`, `{"a":1,"a":2}`, `{"\u0061":1}`,
	} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		var before, after map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &before) != nil || before == nil {
			return
		}
		out := SetMember([]byte(text), name, []byte(`"new"`))
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", text, out, err)
		}
		found := false
		for key, value := range Members(out) {
			found = found || Unquote(key) == strings.ToValidUTF8(name, "\ufffd") && string(value) == `"new"`
		}
		if !found && strings.ToValidUTF8(name, "") == name {
			t.Errorf("%q became %q, without %q", text, out, name)
		}
		for name := range before {
			if _, kept := after[name]; !kept {
				t.Errorf("%q became %q, without %q", text, out, name)
			}
		}
	})
}
