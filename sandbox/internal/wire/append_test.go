package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// hostileTexts are strings that have broken encoders.
var hostileTexts = []string{
	"", "plain", "\n", "\r\n", "a\nb\rc", "\x00", "\x1f\x7f\u0080", `"`, `\`, `\"`, `","type":"init","x":"`, "é日本😀",
	"\u2028\u2029", "\ufeff", "</script>", "&<>", "\xff\xfe", "\xed\xa0\x80", "%0a", "\\n", "\\u000a", strings.Repeat("\n", 1000),
}

// decodeLine reads a frame of the host as a worker does. It fails t unless frame is one line.
func decodeLine(t *testing.T, frame []byte) map[string]json.RawMessage {
	t.Helper()
	if at := bytes.IndexByte(frame, '\n'); at != len(frame)-1 {
		t.Fatalf("the first line break is at %d of %d bytes: %q", at, len(frame), frame)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(frame, &members); err != nil {
		t.Fatalf("%v: %q", err, frame)
	}
	return members
}

// text is the string that JSON text stands for.
func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%v: %q", err, raw)
	}
	return s
}

// sameValue says whether two JSON texts stand for the same value.
func sameValue(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]any
	for i, raw := range [][]byte{a, b} {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber() // 1e999 is JSON
		if err := dec.Decode(&values[i]); err != nil {
			t.Fatalf("%v: %q", err, raw)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

func TestAppendLoadKeepsAnyText(t *testing.T) {
	for _, s := range hostileTexts {
		members := decodeLine(t, AppendLoad(nil, &Load{Filename: s, Code: s + "x" + s}))
		if text(t, members["type"]) != "load" || !sameText(text(t, members["filename"]), s) || !sameText(text(t, members["code"]), s+"x"+s) {
			t.Errorf("%q became %q", s, members)
		}
	}
}

// sameText says whether got is want with U+FFFD for each byte that is not UTF-8.
func sameText(got, want string) bool { return got == string([]rune(want)) }

func TestAppendInvokeKeepsAnyText(t *testing.T) {
	for _, s := range hostileTexts {
		checkInvoke(t, s, s)
	}
}

func FuzzAppendInvoke(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s, s)
		f.Add("1", " {\r\n\"a\" :\n[1,\r2]\n}\n")
	}
	f.Fuzz(checkInvoke)
}

// checkInvoke fails t unless the frame of a call with this ID and these raw values reads back as it was. A value that is not JSON
// stands for itself as a string.
func checkInvoke(t *testing.T, id, value string) {
	raw := json.RawMessage(value)
	if !json.Valid(raw) {
		raw, _ = json.Marshal(value)
	}
	in := &Invoke{ID: id, Method: value, Headers: raw, Query: raw, Env: raw, Outgoing: raw, HTTP: raw, Auth: raw, Body: raw}
	members := decodeLine(t, AppendInvoke([]byte{}, in))
	if len(members) != 11 || text(t, members["type"]) != "invoke" || text(t, members["kind"]) != "run" {
		t.Errorf("got %q", members)
	}
	if !sameText(text(t, members["id"]), id) || !sameText(text(t, members["method"]), value) {
		t.Errorf("id %q, method %q became %s, %s", id, value, members["id"], members["method"])
	}
	for _, name := range []string{"headers", "query", "env", "outgoing", "http", "auth", "body"} {
		if !sameValue(t, members[name], raw) {
			t.Errorf("%s: %q became %q", name, raw, members[name])
		}
	}
	in.Body, in.Raw = nil, []byte(value)
	members = decodeLine(t, AppendInvoke([]byte{}, in))
	got, err := base64.StdEncoding.DecodeString(text(t, members["raw"]))
	if err != nil || string(got) != value || members["body"] != nil {
		t.Errorf("the bytes %q became %q, %v, beside %q", value, got, err, members["body"])
	}
}

func TestAppendInvokeChangesNothingOfItsCaller(t *testing.T) {
	body := json.RawMessage("{\n\"a\":1\r\n}")
	in := &Invoke{ID: "1", Method: "GET", Headers: body, Query: body, Env: body, Body: body}
	first := AppendInvoke(nil, in)
	if string(body) != "{\n\"a\":1\r\n}" {
		t.Errorf("the body became %q", body)
	}
	if second := AppendInvoke([]byte("before\n"), in); string(second) != "before\n"+string(first) {
		t.Errorf("appended %q, want %q", second, first)
	}
}

func TestAppendInitRefusesAnEnvThatIsNotJSON(t *testing.T) {
	dst := []byte("before")
	if got, err := AppendInit(dst, Init{Env: json.RawMessage("{")}); err == nil || string(got) != "before" {
		t.Errorf("got %q, %v", got, err)
	}
}

func BenchmarkAppendInvoke(b *testing.B) {
	for name, body := range map[string]string{"small": `{"name":"Joe"}`, "100 kB": `"` + strings.Repeat("x", 100_000) + `"`} {
		in := &Invoke{
			ID: "1z", Method: "PUT", Headers: json.RawMessage(`{"host":"localhost","accept":"*/*"}`), Query: json.RawMessage(`{}`),
			Body: json.RawMessage(body),
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var frame []byte
			for b.Loop() {
				frame = AppendInvoke(frame[:0], in)
			}
			b.SetBytes(int64(len(frame)))
		})
	}
}

func TestAppendInvokeBeforeTheSnapshot(t *testing.T) {
	in := &Invoke{
		ID: "1", Kind: Prepare, Method: "PUT", Body: json.RawMessage("1"),
		Env: json.RawMessage(`{"A":"1"}`), Secrets: json.RawMessage(`{"B":"2"}`), Outgoing: json.RawMessage(`{"c":"3"}`),
	}
	for kind, want := range map[string]string{
		Prepare: `{"type":"invoke","id":"1","kind":"prepare","env":{"A":"1"},"secrets":{"B":"2"}}`,
		Warmup: `{"type":"invoke","id":"1","kind":"warmup","method":"PUT","env":{"A":"1"},"secrets":{"B":"2"},` +
			`"outgoing":{"c":"3"},"body":1}`,
		Check: `{"type":"invoke","id":"1","kind":"check"}`,
	} {
		in.Kind = kind
		if got := strings.TrimSuffix(string(AppendInvoke(nil, in)), "\n"); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}
