package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDecodeRefusesWhatIsNotUTF8(t *testing.T) {
	for _, line := range []string{
		`{"type":"result","id":"1","status":200,"body":"` + "\xff" + `"}`,
		`{"type":"log","id":"1","level":"info","text":"` + "\xed\xa0\x80" + `"}`,
	} {
		if frame, err := Decode([]byte(line)); err == nil || err.Error() != "wire: not UTF-8" {
			t.Errorf("%q: got %+v, %v", line, frame, err)
		}
	}
}

func TestDecodeCopiesWhatItKeeps(t *testing.T) {
	line := []byte(`{"type":"result","id":"1","status":200,"headers":[["a","b"]],"body":{"x":1}}`)
	frame, err := Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	for i := range line {
		line[i] = '!'
	}
	if frame.ID != "1" || string(frame.Body) != `{"x":1}` || frame.Headers[0] != [2]string{"a", "b"} {
		t.Errorf("the frame changed with its line: %+v", frame)
	}
}

func TestDecodeKeepsTheBodyAsItIs(t *testing.T) {
	for _, body := range []string{`{"b":1,"a":1,"b":2}`, `1.0e+2`, `9007199254740993`, `"é\u00e9\ud800"`, `[ 1 , 2 ]`, `null`, `false`, `""`} {
		frame, err := Decode([]byte(`{"type":"result","id":"1","status":200,"body":` + body + `}`))
		if err != nil || string(frame.Body) != body {
			t.Errorf("%s: %v: got %s", body, err, frame.Body)
		}
	}
	if frame, err := Decode([]byte(`{"type":"result","id":"1","status":200}`)); err != nil || frame.Body != nil {
		t.Errorf("no body: %v: got %q, want nil", err, frame.Body)
	}
}

func TestLastEndsACall(t *testing.T) {
	for kind, want := range map[string]bool{Ready: false, Log: false, Pending: false, Span: false, Result: true, Error: true, Oversize: true} {
		if got := (&Frame{Type: kind}).Last(); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, golden := range readGolden[goldenWorker](f, "worker.jsonl") {
		f.Add([]byte(golden.Line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		frame, err := Decode(line)
		if err != nil {
			if frame != nil || !strings.HasPrefix(err.Error(), "wire: ") {
				t.Errorf("got %+v, %v", frame, err)
			}
			return
		}
		checkFrame(t, frame)
		if quick := decodeResult(line); quick != nil {
			if slow, err := decodeAny(line); err != nil || !reflect.DeepEqual(quick, slow) {
				t.Errorf("read quickly it is %+v, read slowly %+v, %v", quick, slow, err)
			}
		}
	})
}

func TestDecodeReadsWhatTheRunnerWritesQuickly(t *testing.T) {
	for _, line := range []string{
		`{"type":"result","id":"g1","reusable":true,"status":201,"headers":[["x-a","b"],["set-cookie","1"],["set-cookie","2"]],"body":{"a":[1,null,"\n"]}}`,
		`{"type":"result","id":"g1","reusable":false,"status":200,"headers":[]}`,
		`{"type":"result","id":"é","reusable":false,"status":599,"headers":[["a",""]],"body":"}"}`,
	} {
		quick := decodeResult([]byte(line))
		if slow, err := decodeAny([]byte(line)); err != nil || !reflect.DeepEqual(quick, slow) {
			t.Errorf("%s: read quickly it is %+v, read slowly %+v, %v", line, quick, slow, err)
		}
	}
}

func TestDecodeLeavesOtherFormsToTheSlowReader(t *testing.T) {
	for _, line := range []string{
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"body":1,"body":2}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"body": 1}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"body":1 }`,
		`{"type":"result","id":"1","reusable":true,"status":99,"headers":[]}`,
		`{"type":"result","id":"1","reusable":true,"status":2000,"headers":[]}`,
		`{"type":"result","id":"1","reusable":true,"status":+20,"headers":[]}`,
		`{"type":"result","id":"\u0031","reusable":true,"status":200,"headers":[]}`,
		`{"type":"result","id":"","reusable":true,"status":200,"headers":[]}`,
		`{"type":"result","id":"1","reusable":null,"status":200,"headers":[]}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[["a","b","c"]]}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[["","b"]]}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[["a","b"],]}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"body":}`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"body":1`,
		`{"type":"result","id":"1","reusable":true,"status":200,"headers":[],"size":1}`,
	} {
		if frame := decodeResult([]byte(line)); frame != nil {
			t.Errorf("%s: got %+v", line, frame)
		}
	}
}

// checkFrame fails t when frame is not as Decode promises.
func checkFrame(t *testing.T, frame *Frame) {
	t.Helper()
	types := []string{Ready, Log, Pending, Span, Result, Error, Oversize}
	if !slices.Contains(types, frame.Type) || (frame.ID == "" && frame.Type != Ready) {
		t.Errorf("type %q, ID %q", frame.Type, frame.ID)
	}
	if frame.Body != nil && (!json.Valid(frame.Body) || !utf8.Valid(frame.Body)) {
		t.Errorf("body %q", frame.Body)
	}
	if valid := frame.Status >= 100 && frame.Status <= 599; !valid && (frame.Type == Result || frame.Type == Error && frame.Status != 0) {
		t.Errorf("status %d", frame.Status)
	}
	if frame.Type == Log && (strings.Contains(frame.Text, "\n") || frame.Level != "info" && frame.Level != "error") {
		t.Errorf("log %q %q", frame.Level, frame.Text)
	}
	if frame.Type == Span && (frame.Span < 0 || frame.Span > MaxSpans || frame.Parent < 0 || frame.Parent > frame.Span || len(frame.Tags) > maxTags) {
		t.Errorf("span %d below %d with tags %v", frame.Span, frame.Parent, frame.Tags)
	}
	if Millis(frame.Start) < 0 || Millis(frame.Duration) < 0 || Millis(frame.Load) < 0 {
		t.Errorf("times %v, %v, %v", frame.Start, frame.Duration, frame.Load)
	}
	if frame.Last() {
		for _, h := range frame.Headers {
			if h[0] == "" || strings.ContainsAny(h[0]+h[1], "\r\n\x00") {
				t.Errorf("header %q", h)
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string]string{"small": `{"say":"hello"}`, "100 kB": `"` + strings.Repeat("x", 100_000) + `"`} {
		line := []byte(`{"type":"result","id":"1","reusable":true,"status":200,"headers":[["x-a","b"]],"body":` + body + `}`)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	line := append(bytes.Repeat([]byte("x"), 200), '\n')
	stream := bytes.Repeat(line, 1000)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		r := NewReader(bytes.NewReader(stream), 1<<20)
		for range 1000 {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestMillisAreDurationsWithinReason(t *testing.T) {
	for ms, want := range map[float64]time.Duration{0: 0, 0.5: 500 * time.Microsecond, 1500: 1500 * time.Millisecond, 1e300: time.Hour} {
		if got := Millis(ms); got != want {
			t.Errorf("%v ms are %v, want %v", ms, got, want)
		}
	}
}
