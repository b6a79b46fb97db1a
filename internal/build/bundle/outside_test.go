package bundle

import (
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// Whatever makes esbuild read a file of the machine: no message says what is in it.
func TestMessagesDoNotQuoteFilesOutsideOfTheTree(t *testing.T) {
	e := explainer{&tree{root: "/tmp/build-1"}, Target{Runtime: "node24"}}
	at := func(file, line string, column, length int) *api.Location {
		return &api.Location{File: file, Line: 1, Column: column, Length: length, LineText: line}
	}
	secret := api.Message{
		Text: `Expected "{" but found "secret"`, Location: at("../../etc/key", "secret", 0, 6),
		Notes: []api.Note{{Text: "secret"}},
	}
	unreadable := api.Message{Text: `Cannot read directory "/root": permission denied`}
	found := api.Message{Text: errOutside.Error(), Location: at("index.js", "import 'left-pad'", 7, 10)}
	warnings, faults := e.all([]api.Message{secret, unreadable, found}, []api.Message{secret})
	if len(warnings) != 0 || len(faults) != 3 {
		t.Fatalf("warnings %v, faults %v", warnings, faults)
	}
	for i, want := range []string{outsideUpload, outsideUpload, `index.js:1:8: Could not resolve "left-pad" (upload ` +
		`package-lock.json with the package in it, or bundle the package into the files)`} {
		if got := faults[i].String(); got != want || i < 2 && faults[i].LineText != "" {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
