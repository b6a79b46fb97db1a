//go:build docker

package dockertest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// call sends a JSON body with PUT and returns the answer's status and text.
func call(t *testing.T, path, body string) (int, string) {
	t.Helper()
	return callAt(t, server+path, body)
}

func callAt(t *testing.T, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, read(t, response.Body)
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return read(t, response.Body)
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func deploy(t *testing.T, name, code string) {
	t.Helper()
	deployAt(t, server, name, map[string]string{"code": code})
}

func deployAt(t *testing.T, api, name string, definition map[string]string) {
	t.Helper()
	body, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	if status, text := callAt(t, api+"/functions/"+name, string(body)); status != http.StatusOK {
		t.Fatalf("deploy %s: %d %s", name, status, text)
	}
}

// Every command of the README that calls the server is run as it stands; where its answer follows, each line of it must
// come.
func TestExamplesOfTheReadmeWork(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?ms)^```sh\n(curl .*?)^```$(?:[^`]*?^```\n(.*?)^```$)?")
	examples := example.FindAllStringSubmatch(string(text), -1)
	if len(examples) < 5 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, example := range examples {
		script := strings.ReplaceAll(example[1], "http://localhost:8100", server)
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", script, err)
		}
		for want := range strings.Lines(example[2]) {
			if want = strings.TrimSpace(want); !shows(string(out), want) {
				t.Errorf("%s\nanswered\n%s\nwithout %q", script, out, want)
			}
		}
	}
}

// shows says whether text has the parts of want, between which … stands for anything, one after the other.
func shows(text, want string) bool {
	for part := range strings.SplitSeq(want, "…") {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

func TestEveryLayerIsAroundWorkers(t *testing.T) {
	var reports map[string]struct {
		Isolation string
		Layers    []struct {
			Name            string
			Asked, Obtained bool
			Detail          string
		}
	}
	if err := json.Unmarshal([]byte(get(t, server+"/status/isolation")), &reports); err != nil {
		t.Fatal(err)
	}
	report := reports["node8"]
	if report.Isolation != "strict" || len(report.Layers) < 10 {
		t.Fatalf("%+v", report)
	}
	for _, layer := range report.Layers {
		if !layer.Asked || !layer.Obtained {
			t.Errorf("%s: asked %v, obtained %v: %s", layer.Name, layer.Asked, layer.Obtained, layer.Detail)
		}
	}
}

func TestMemoryLimitHolds(t *testing.T) {
	deploy(t, "docker/hog", `function main(req, res) {
		const all = []
		function grow() { all.push(Buffer.alloc(4 << 20, 1)); setTimeout(grow, 0) }
		grow()
	}`)
	status, text := call(t, "/functions/docker/hog/run", "")
	if status != http.StatusInternalServerError || !strings.Contains(text, "memory") {
		t.Errorf("%d %s", status, text)
	}
}

func TestFunctionsOutliveTheirContainers(t *testing.T) {
	deploy(t, "docker/kept", `function main(req, res) { res.send({ kept: true }) }`)
	if out, err := compose("down", "--timeout", "20"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := up(); err != nil {
		t.Fatal(err)
	}
	if status, text := call(t, "/functions/docker/kept/run", ""); status != http.StatusOK || text != `{"kept":true}` {
		t.Errorf("%d %s", status, text)
	}
}

func TestStopLetsCallsFinish(t *testing.T) {
	deploy(t, "docker/slow", `function main(req, res) { setTimeout(() => res.send({ finished: true }), 3000) }`)
	type answer struct {
		status int
		text   string
	}
	answers := make(chan answer, 1)
	go func() {
		status, text := call(t, "/functions/docker/slow/run", "")
		answers <- answer{status, text}
	}()
	awaitBusy(t)
	id, err := container()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := docker("stop", "--time", "20", id); err != nil {
		t.Fatal(err)
	}
	if got := <-answers; got.status != http.StatusOK || got.text != `{"finished":true}` {
		t.Errorf("the call in progress was answered with %d %s", got.status, got.text)
	}
	if code, err := docker("inspect", "--format", "{{.State.ExitCode}}", id); err != nil || code != "0" {
		t.Errorf("exit code %s, %v", code, err)
	}
	if err := up(); err != nil {
		t.Fatal(err)
	}
}

// awaitBusy returns once a worker runs a call.
func awaitBusy(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(get(t, metrics+"/metrics"), `functions_pool_workers{state="busy"} 1`) {
			return
		}
	}
	t.Fatal("no worker became busy")
}

// Browsers of the machine that runs docker-compose.yml may not be led here by another name.
func TestOtherHostsAreNotAnswered(t *testing.T) {
	for host, want := range map[string]int{"evil.example": http.StatusMisdirectedRequest, "localhost": http.StatusOK} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/functions", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if text := read(t, response.Body); response.StatusCode != want {
			t.Errorf("%s: %d %s", host, response.StatusCode, text)
		}
		_ = response.Body.Close()
	}
}
