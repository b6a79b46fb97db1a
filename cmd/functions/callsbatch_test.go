package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestABatchRunsOnEachRuntime has functions that take JSON and bytes answer many inputs.
func TestABatchRunsOnEachRuntime(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	for _, runtime := range runtimes {
		url, option := s.url+"/functions/"+runtime+"/", `"runtime":"`+runtime+`"`
		put(t, url+"json", `function main(req, res) {
			if (req.body.fail) throw new Error('no')
			res.send({ n: req.body.n, type: req.headers['content-type'] })
		}`, option)
		put(t, url+"image", `function main(req, res) { res.set('Content-Type', 'image/png'); res.end(Buffer.from([req.body.n])) }`,
			option+`,"body":"auto"`)
		put(t, url+"raw", `function main(req, res) { res.send({ n: JSON.parse(req.rawBody).n, length: req.headers['content-length'] }) }`,
			option+`,"body":"raw"`)
		var inputs []string
		for n := range 40 {
			inputs = append(inputs, fmt.Sprintf(`{"n":%d}`, n))
		}
		inputs = append(inputs, `{"fail":true}`)
		for id, want := range map[string]string{
			"json": `{"n":%d,"type":"application/json; charset=utf-8"}`, "raw": `{"n":%d,"length":"%d"}`,
		} {
			lines := s.batch(t, url+id+"/batch", strings.Join(inputs, "\n"))
			if len(lines) != len(inputs) {
				t.Fatalf("%s: %d lines", runtime, len(lines))
			}
			for n := range 40 {
				text := fmt.Sprintf(want, n)
				if id == "raw" {
					text = fmt.Sprintf(want, n, len(inputs[n]))
				}
				if got := lines[n]; got.Status != 200 || string(got.Body) != text {
					t.Errorf("%s: input %d is answered %+v, want %s", runtime, n, got, text)
				}
			}
			if id != "json" {
				continue
			}
			if failed := lines[40]; failed.Status != 500 || failed.Error != "no" {
				t.Errorf("%s: %+v", runtime, failed)
			}
		}
		image := s.batch(t, url+"image/batch", `{"n":137}`)[0]
		if image.Base64 != base64.StdEncoding.EncodeToString([]byte{137}) || image.Type != "image/png" {
			t.Errorf("%s: %+v", runtime, image)
		}
	}
}

// batchLine is one of the answer to a batch.
type batchLine struct {
	Index    int             `json:"index"`
	Status   int             `json:"status"`
	Body     json.RawMessage `json:"body"`
	Type     string          `json:"type"`
	Base64   string          `json:"base64"`
	Error    string          `json:"error"`
	Location string          `json:"location"`
}

// batch sends inputs and returns the lines of the answer by their index.
func (s *server) batch(t *testing.T, url, inputs string) map[int]batchLine {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(inputs))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := map[int]batchLine{}
	for from := json.NewDecoder(response.Body); from.More(); {
		var line batchLine
		if err := from.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines[line.Index] = line
	}
	return lines
}
