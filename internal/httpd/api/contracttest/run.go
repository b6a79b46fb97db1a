package contracttest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/httpd/latin1"
)

// RunSome replays those rows of the *.json files in dir that want chooses against the server at baseURL, such as
// "http://127.0.0.1:8100".
func RunSome(t *testing.T, baseURL, dir string, want func(Row) bool) {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil {
		t.Fatalf("base URL: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no contract rows in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			for _, row := range load(t, file, base.Host) {
				if want(row) {
					t.Run(row.Name, func(t *testing.T) { replay(t, base, row) })
				}
			}
		})
	}
}

// load reads a file under names that no other run uses, for the server may remember those of earlier ones.
func load(t *testing.T, file, host string) []Row {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	run := make([]byte, 4)
	if _, err := rand.Read(run); err != nil {
		t.Fatal(err)
	}
	rows, err := parse(text, hex.EncodeToString(run), host)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return rows
}

// answerTimeout ends the wait for a server that does not answer at all.
const answerTimeout = 5 * time.Minute

func replay(t *testing.T, base *url.URL, row Row) {
	client := &http.Client{
		Timeout:       answerTimeout,
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for i, step := range row.Steps {
		res, err := client.Do(newRequest(t, base, step.Request))
		if err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatalf("step %d: read body: %v", i+1, err)
		}
		for _, fault := range step.Expect.faults(res, body) {
			t.Errorf("step %d: %s", i+1, fault)
		}
		if t.Failed() {
			t.Fatalf(
				"step %d: %s %s answered\n%d %v\n%s",
				i+1,
				step.Request.Method,
				step.Request.Path,
				res.StatusCode,
				res.Header,
				body,
			)
		}
	}
}

// newRequest builds a request whose path goes out as it is written, even if it is no valid URL.
func newRequest(t *testing.T, base *url.URL, spec Request) *http.Request {
	t.Helper()
	body := []byte(spec.Body)
	if spec.JSON != nil {
		body = spec.JSON
	}
	req, err := http.NewRequestWithContext(t.Context(), spec.Method, base.String(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	path := spec.Path
	if spec.Latin1 {
		path = bytesOf(t, path)
	}
	req.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: path}
	req.Header.Set("User-Agent", "contracttest")
	if spec.JSON != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range spec.Headers {
		if strings.EqualFold(name, "Host") && len(values) > 0 {
			req.Host = values[0]
			continue
		}
		sent := make([]string, len(values))
		for i, value := range values {
			sent[i] = bytesOf(t, value)
		}
		req.Header[http.CanonicalHeaderKey(name)] = sent
	}
	return req
}

// bytesOf is text with a byte for each of its characters.
func bytesOf(t *testing.T, text string) string {
	t.Helper()
	encoded, ok := latin1.Encode(text)
	if !ok {
		t.Fatalf("%q has characters above U+00FF", text)
	}
	return encoded
}

// faults says what is wrong with an answer.
func (e Expect) faults(res *http.Response, body []byte) (faults []string) {
	if res.StatusCode != e.Status {
		faults = append(faults, "the status is not "+http.StatusText(e.Status))
	}
	for name, want := range e.Headers {
		var got []string
		for _, value := range res.Header.Values(name) {
			got = append(got, latin1.Decode(value))
		}
		if !slices.Equal(got, want) {
			faults = append(faults, name+" is "+quote(got)+", not "+quote(want))
		}
	}
	for name, want := range e.HeadersMatch {
		if got := latin1.Decode(res.Header.Get(name)); !matches(want, got) {
			faults = append(faults, name+" is "+got+", which does not match "+want)
		}
	}
	if e.Body != nil && string(body) != *e.Body {
		faults = append(faults, "the body is not "+*e.Body)
	}
	if e.BodyMatch != "" && !matches(e.BodyMatch, string(body)) {
		faults = append(faults, "the body does not match "+e.BodyMatch)
	}
	if e.JSON != nil && !sameJSON(body, e.JSON) {
		faults = append(faults, "the body is not the JSON "+string(e.JSON))
	}
	return faults
}

// matches says whether the pattern matches all of text; one that does not parse matches nothing.
func matches(pattern, text string) bool {
	re, err := regexp.Compile(`\A(?s:` + pattern + `)\z`)
	return err == nil && re.MatchString(text)
}

func quote(values []string) string {
	text, _ := json.Marshal(values) // strings always marshal
	return string(text)
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
