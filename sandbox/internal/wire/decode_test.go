package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestReaderRefusesWhatIsNotUTF8(t *testing.T) {
	for _, line := range []string{
		`{"type":"result","id":"g1","reusable":true,"status":200,"headers":[],"body":"` + "\xff" + `"}`,
		`{"type":"log","id":"g1","level":"info","text":"` + "\xed\xa0\x80" + `"}`,
	} {
		if frame, err := readLine([]byte(line), ""); err == nil || err.Error() != "wire: not UTF-8" {
			t.Errorf("%q: got %+v, %v", line, frame, err)
		}
	}
}

func TestFramesShareNothingWithTheirReader(t *testing.T) {
	for _, size := range []int{1, 100 << 10} {
		line := resultLine(`"` + strings.Repeat("a", size) + `"`)
		r := NewReader(strings.NewReader(line+"\n"+strings.Repeat(strings.Repeat("!", 100)+"\n", 1000)), roomy)
		frame, err := r.Next("g1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next("g1"); err == nil {
			t.Fatal("what follows is taken for a frame")
		}
		if string(frame.Body) != `"`+strings.Repeat("a", size)+`"` || frame.Headers[0] != [2]string{"x-a", "b"} {
			t.Errorf("the frame changed with the stream: %.100v", frame)
		}
		if waste := cap(frame.Body) - len(frame.Body); waste > len(frame.Body)/4+16 {
			t.Errorf("a body of %d bytes holds %d more", len(frame.Body), waste)
		}
	}
}

func resultLine(body string) string {
	return `{"type":"result","id":"g1","reusable":true,"status":200,"headers":[["x-a","b"]],"body":` + body + `}`
}

func TestTheBodyStaysAsItIs(t *testing.T) {
	for _, body := range []string{`{"b":1,"a":1,"b":2}`, `1.0e+2`, `9007199254740993`, `"é\u00e9\ud800"`, `[ 1 , 2 ]`, `null`, `false`, `""`, `"}"`} {
		frame, err := readLine([]byte(resultLine(body)), "")
		if err != nil || string(frame.Body) != body {
			t.Errorf("%s: %v: got %v", body, err, frame)
		}
	}
	if frame, err := readLine([]byte(`{"type":"result","id":"g1","reusable":true,"status":200,"headers":[]}`), ""); err != nil || frame.Body != nil {
		t.Errorf("no body: %v: got %v, want nil", err, frame)
	}
}

func TestLastEndsACall(t *testing.T) {
	for kind, want := range map[string]bool{
		Ready: false, Log: false, Pending: false, Span: false, Progress: false, Result: true, Error: true, Oversize: true,
		Head: false, Chunk: false, End: true,
	} {
		if got := (&Frame{Type: kind}).Last(); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

// referee reads a line as encoding/json does, in any form.
func referee(line []byte) (*Frame, error) {
	frame := new(Frame)
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(frame); err != nil {
		return nil, err
	}
	if dec.InputOffset() != int64(len(line)) {
		return nil, errors.New("more than one value")
	}
	return frame, nil
}

func FuzzFrames(f *testing.F) {
	for _, golden := range readGolden[goldenWorker](f, "worker.jsonl") {
		f.Add([]byte(golden.Line + "\n" + golden.Then))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		line, then, _ := bytes.Cut(text, []byte("\n"))
		frame, err := readLine(line, string(then))
		if err != nil {
			if frame != nil || !errors.Is(err, io.ErrUnexpectedEOF) && !strings.HasPrefix(err.Error(), "wire: ") || len(err.Error()) > 1000 {
				t.Errorf("got %+v, %v", frame, err)
			}
			return
		}
		checkFrame(t, frame)
		want, err := referee(line)
		if frame.Type == Chunk && err == nil {
			want.Bytes = then[:want.Size]
		}
		if err != nil || !reflect.DeepEqual(frame, want) {
			t.Errorf("read here it is %+v, by encoding/json %+v, %v", frame, want, err)
		}
	})
}

// checkFrame fails t when frame is not as a Reader promises.
func checkFrame(t *testing.T, frame *Frame) {
	t.Helper()
	types := []string{Ready, Log, Pending, Span, Progress, Result, Error, Oversize, Late, Done, Head, Chunk, End}
	if !slices.Contains(types, frame.Type) || (frame.ID == "" && frame.Type != Ready) {
		t.Errorf("type %q, ID %q", frame.Type, frame.ID)
	}
	if frame.Body != nil && (!json.Valid(frame.Body) || !utf8.Valid(frame.Body)) {
		t.Errorf("body %q", frame.Body)
	}
	if valid := frame.Status >= 100 && frame.Status <= 999; !valid && (frame.Type == Result || frame.Type == Error && frame.Status != 0) {
		t.Errorf("status %d", frame.Status)
	}
	if frame.Type == Chunk && (frame.Size < 1 || frame.Size > MaxChunk || len(frame.Bytes) != frame.Size) {
		t.Errorf("%d bytes of a %s", len(frame.Bytes), frame.Type)
	}
	if frame.Type == Log && (strings.Contains(frame.Text, "\n") || frame.Level != "info" && frame.Level != "error") {
		t.Errorf("log %q %q", frame.Level, frame.Text)
	}
	if frame.Type == Progress && (frame.Part < 0 || frame.Part > 1 || len(frame.Text) > maxProgressText) {
		t.Errorf("part %v with a text of %d bytes", frame.Part, len(frame.Text))
	}
	if frame.Type == Span && (frame.Span < 0 || frame.Span > MaxSpans || frame.Parent < 0 || frame.Parent > frame.Span || len(frame.Tags) > maxTags) {
		t.Errorf("span %d below %d with tags %v", frame.Span, frame.Parent, frame.Tags)
	}
	if Millis(frame.Start) < 0 || Millis(frame.Duration) < 0 || Millis(frame.Load) < 0 {
		t.Errorf("times %v, %v, %v", frame.Start, frame.Duration, frame.Load)
	}
	size := 0
	for _, h := range frame.Headers {
		size += len(h[0]) + len(h[1])
		if h[0] == "" || strings.ContainsAny(h[0]+h[1], "\r\n\x00") {
			t.Errorf("header %q", h)
		}
	}
	if len(frame.Headers) > MaxHeaderLines || size > MaxHeaderBytes {
		t.Errorf("%d header lines of %d bytes", len(frame.Headers), size)
	}
}

// hostile are lines that are as large as a line may be, by what they would have the host do.
func hostile(size int) map[string]string {
	fill := func(begin, unit, end string) string {
		return begin + strings.Repeat(unit, (size-len(begin)-len(end))/len(unit)) + end
	}
	own, foreign := `{"type":"result","id":"g1","reusable":true,"status":200,"headers":[`, `{"type":"span","id":"x","headers":[`
	return map[string]string{
		"headers of another call":       fill(foreign, `["a",""],`, `["a",""]]}`),
		"headers of an unknown type":    fill(`{"type":"x","id":"g1","headers":[`, `["a",""],`, `["a",""]]}`),
		"headers":                       fill(own, `["a",""],`, `["a",""]]}`),
		"headers of escapes":            fill(own, `["\u0061",""],`, `["a",""]]}`),
		"a header":                      fill(own+`["a","`, `x`, `"]]}`),
		"a header of escapes":           fill(own+`["a","`, `\u0061`, `"]]}`),
		"tags":                          fill(`{"type":"span","id":"g1","span":0,"tags":[`, `["a",1],`, `["a",1]]}`),
		"a tag":                         fill(`{"type":"span","id":"g1","span":0,"tags":[["a","`, `x`, `"]]}`),
		"a log line":                    fill(`{"type":"log","id":"g1","level":"info","text":"`, `x`, `"}`),
		"a greeting":                    fill(`{"type":"ready","id":"g1","node":"`, `x`, `"}`),
		"a number":                      fill(`{"type":"oversize","id":"g1","reusable":true,"size":`, `1`, `}`),
		"a status":                      fill(`{"type":"result","id":"g1","reusable":true,"status":`, `1`, `}`),
		"an ID":                         fill(`{"type":"result","id":"`, `g`, `"}`),
		"a type":                        fill(`{"type":"`, `g`, `"}`),
		"an error":                      fill(`{"type":"error","id":"g1","reusable":true,"status":0,"message":"`, `x`, `"}`),
		"members":                       fill(`{"type":"pending","id":"g1"`, `,"a":1`, `}`),
		"nothing":                       fill(``, ` `, ``),
		"a body of brackets":            fill(own+`],"body":`, `[`, `}`),
		"a body of empty lists":         fill(own+`],"body":[`, `[],`, `[]}`),
		"a body of small objects":       fill(own+`],"body":[`, `{"a":1},`, `0]}`),
		"a body of escapes":             fill(own+`],"body":"`, `\u0061`, `"}`),
		"a body that is no JSON at all": fill(own+`],"body":`, `?`, `}`),
		"a body":                        fill(own+`],"body":"`, `x`, `"}`),
		"bytes":                         fill(own+`],"bytes":"`, `AAAA`, `"}`),
		"a chunk":                       fill(`{"type":"chunk","id":"g1","size":`, `1`, `}`),
		"a head":                        fill(`{"type":"head","id":"g1","status":200,"headers":[`, `["a",""],`, `["a",""]]}`),
		"an end":                        fill(`{"type":"end","id":"g1","reusable":true,"cut":`, `1`, `}`),
	}
}

// What a line costs is bounded by what a frame of its type may have, and no line makes many objects. What is no frame of the call is not
// even held.
func TestHostileLinesCostLittle(t *testing.T) {
	const size = 8 << 20
	for name, line := range hostile(size) {
		frames := NewReader(strings.NewReader(line+"\n"), roomy)
		scan := scanner{rest: []byte(line[:headRoom])}
		kind := scan.head("g1")
		held := 4 * roomy.of(kind) // it grows by the way, and what is wanted of it is copied
		taken, objects := costOf(func() { _, _ = frames.Next("g1") })
		if taken > held+headRoom {
			t.Errorf("%s: %d bytes were taken, want at most %d", name, taken, held)
		}
		if objects > 2*MaxHeaderLines+100 {
			t.Errorf("%s: %d objects were made", name, objects)
		}
	}
}

// costOf is what f takes from the heap.
func costOf(f func()) (taken, objects int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc), int(after.Mallocs - before.Mallocs)
}

func BenchmarkNext(b *testing.B) {
	lines := map[string]string{"small": resultLine(`{"say":"hello"}`), "100 kB": resultLine(`"` + strings.Repeat("x", 100_000) + `"`)}
	lines["first"] = strings.Replace(lines["small"], `"status"`, `"load":1.25,"status"`, 1)
	lines["bytes"] = `{"type":"result","id":"g1","reusable":true,"status":200,"headers":[],"bytes":"` + strings.Repeat("QUJD", 25_000) + `"}`
	lines["chunk"] = longestChunk[:len(longestChunk)-1]
	lines["log"] = `{"type":"log","id":"g1","level":"info","text":"a line with a \"word\" in it"}`
	for name, line := range hostile(8 << 20) {
		lines["hostile/"+name] = line
	}
	for name, line := range lines {
		b.Run(name, func(b *testing.B) {
			text := []byte(line + "\n")
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			stream := bytes.NewReader(text)
			r := NewReader(stream, roomy)
			for b.Loop() {
				stream.Reset(text)
				r.buffered.Reset(stream)
				if _, err := r.Next("g1"); err != nil && !strings.Contains(name, "/") {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestMillisAreDurationsWithinReason(t *testing.T) {
	for ms, want := range map[float64]time.Duration{0: 0, 0.5: 500 * time.Microsecond, 1500: 1500 * time.Millisecond, 1e300: time.Hour} {
		if got := Millis(ms); got != want {
			t.Errorf("%v ms are %v, want %v", ms, got, want)
		}
	}
}
