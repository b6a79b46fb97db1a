//go:build linux

package sandbox_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promised are the tables of promises, by the tests that keep them.
var promised = map[string][]promise{
	"TestPromiseEscape": escapePromises, "TestPromiseFiles": filePromises, "TestPromiseEnvironment": environmentPromises,
	"TestPromiseDescriptors": descriptorPromises, "TestPromiseNetwork": networkPromises, "TestPromiseProcesses": processPromises,
	"TestPromiseSystemCalls": callPromises, "TestPromiseBombs": bombPromises, "TestPromiseForgery": forgeryPromises,
	"TestPromisePoison": poisonPromises, "TestPromiseLeaks": leakPromises, "TestPromiseWeb": webPromises,
}

// docs/isolation.md names each test in a heading, with a list of its promises below.
func TestDocumentNamesEveryPromise(t *testing.T) {
	text, err := os.ReadFile("../docs/isolation.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "**on every runtime**: "+versionNames()) {
		t.Errorf("docs/isolation.md should say that promises are kept on %s", versionNames())
	}
	documented := map[string][]string{}
	heading := regexp.MustCompile("^### .*`(Test[A-Za-z]+)`")
	var test string
	for line := range strings.Lines(string(text)) {
		if match := heading.FindStringSubmatch(line); match != nil {
			test = match[1]
		} else if strings.HasPrefix(line, "#") {
			test = ""
		}
		if row, ok := strings.CutPrefix(line, "- "); ok && test != "" {
			documented[test] = append(documented[test], strings.TrimSpace(row))
		}
	}
	for test, rows := range promised {
		var names []string
		for _, row := range rows {
			names = append(names, row.name)
		}
		if !slices.Equal(names, documented[test]) {
			t.Errorf("%s: docs/isolation.md should list\n- %s", test, strings.Join(names, "\n- "))
		}
	}
	var walls, streams []string
	for _, layer := range layers {
		walls = append(walls, layer.name)
	}
	for _, p := range streamPromises {
		streams = append(streams, p.name)
	}
	for test, names := range map[string][]string{"TestPromiseLayers": walls, "TestPromiseStreams": streams} {
		if !slices.Equal(names, documented[test]) {
			t.Errorf("%s: docs/isolation.md should list\n- %s", test, strings.Join(names, "\n- "))
		}
	}
}

// versionNames are the versions in words: "Node.js 8, 20 and 22".
func versionNames() string {
	var numbers []string
	for _, v := range versions {
		numbers = append(numbers, strings.TrimPrefix(string(v), "node"))
	}
	last := len(numbers) - 1
	return "Node.js " + strings.Join(numbers[:last], ", ") + " and " + numbers[last]
}
