package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The frames in testdata are read by runner-js/test/golden.test.js too: each side writes exactly what the other one reads.

// goldenHost is a frame of the host: made of its parts, or one that a worker refuses.
type goldenHost struct {
	Name, Line string
	Refused    bool
	Frame      struct {
		Init   *Init
		Load   *Load
		Invoke *Invoke
	}
}

// goldenWorker is a frame of a worker, of the call g1, what follows its line, and what a Reader makes of it: Frame, or an
// error whose text holds Refused.
type goldenWorker struct {
	Name, Line, Then, Refused string
	Frame                     json.RawMessage
}

func readGolden[T any](tb testing.TB, name string) []T {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	var all []T
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			tb.Fatalf("%s: %v: %.100s", name, err, lines.Text())
		}
		all = append(all, one)
	}
	return all
}

func TestHostWritesTheGoldenFrames(t *testing.T) {
	for _, golden := range readGolden[goldenHost](t, "host.jsonl") {
		if golden.Refused {
			continue // the worker's business
		}
		var got []byte
		var err error
		switch frame := golden.Frame; {
		case frame.Init != nil:
			got, err = AppendInit(nil, *frame.Init)
		case frame.Load != nil:
			got = AppendLoad(nil, frame.Load)
		default:
			got = AppendInvoke(nil, frame.Invoke)
		}
		if err != nil || string(got) != golden.Line+"\n" {
			t.Errorf("%s: %v\ngot  %swant %s", golden.Name, err, got, golden.Line)
		}
	}
}

func TestReaderReadsTheGoldenFrames(t *testing.T) {
	for _, golden := range readGolden[goldenWorker](t, "worker.jsonl") {
		got, err := readLine([]byte(golden.Line), golden.Then)
		if golden.Refused != "" {
			if err == nil || !strings.HasPrefix(err.Error(), "wire: ") || !strings.Contains(err.Error(), golden.Refused) {
				t.Errorf("%s: got %+v, %v; want an error with %q", golden.Name, got, err, golden.Refused)
			}
			continue
		}
		want := new(Frame)
		if err := json.Unmarshal(golden.Frame, want); err != nil {
			t.Fatal(err)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", golden.Name, err, got, want)
		}
	}
}

// roomy are limits that no golden frame comes near, but for those of its type.
var roomy = Limits{Answer: 8 << 20, Logs: 256 << 10}

// readLine reads one line of call g1, or a greeting, and what follows it.
func readLine(line []byte, then string) (*Frame, error) {
	id := "g1"
	if bytes.HasPrefix(line, []byte(`{"type":"ready"`)) {
		id = ""
	}
	return NewReader(strings.NewReader(string(line)+"\n"+then), roomy).Next(id)
}
