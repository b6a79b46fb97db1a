package function_test

import (
	"errors"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// files is a function of one file.
func files(entry, path, text string) *function.Function {
	return &function.Function{
		Ref:      function.Ref{Namespace: "ns", ID: "id"},
		Artefact: (&function.Artefact{Code: "module.exports = 1"}).Seal(),
		Source:   &function.Source{Entry: entry, Files: map[string][]byte{path: []byte(text)}},
	}
}

func TestTheHashOfFilesIsThatOfTheirNamesTextsAndEntry(t *testing.T) {
	first := files("a.js", "a.js", "1").Revise(nil, function.NewStamp())
	if again := files("a.js", "a.js", "1").Revise(nil, function.NewStamp()); again.Hash != first.Hash {
		t.Errorf("the same files have the hashes %q and %q", first.Hash, again.Hash)
	}
	for name, other := range map[string]*function.Function{
		"entry": files("", "a.js", "1"), "path": files("a.js", "b.js", "1"), "text": files("a.js", "a.js", "2"),
		"border": files("a.jsa", ".js", "1"),
	} {
		if got := other.Revise(nil, function.NewStamp()); got.Hash == first.Hash {
			t.Errorf("another %s has the same hash", name)
		}
	}
}

func TestWorkersLoadTheArtefactWhereThereIsOne(t *testing.T) {
	lowered := &function.Function{Code: "export function main() {}", Artefact: &function.Artefact{Code: "lowered"}}
	if lowered.Program() != "lowered" || lowered.OfFiles() {
		t.Errorf("of code with an artefact they load %q", lowered.Program())
	}
	if plain := (&function.Function{Code: "1"}); plain.Program() != "1" || plain.OfFiles() {
		t.Errorf("of code they load %q", plain.Program())
	}
	if next := lowered.Revise(nil, function.NewStamp()); next.Hash != function.HashOf(lowered.Code) {
		t.Error("the hash of code with an artefact is not that of the code")
	}
}

func TestFilesWithoutTheirSourceAreIncomplete(t *testing.T) {
	whole := files("", "a.js", "1")
	if err := whole.Check(); err != nil {
		t.Error(err)
	}
	whole.Source = nil
	if err := whole.Check(); !errors.Is(err, function.ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}
