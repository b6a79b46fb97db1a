package bolt

import (
	"strconv"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestTheVersionIsReadWithoutTheRestOfTheRecord(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	env := function.NewEnv()
	for i := range function.MaxVariables {
		env.Set("VARIABLE_"+strconv.Itoa(i), "value")
	}
	ref := function.Ref{Namespace: "ns", ID: "id"}
	stored, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "1", Env: env})
	if err != nil {
		t.Fatal(err)
	}
	revision := func() {
		if got, err := s.Revision(t.Context(), ref); err != nil || got != stored.VersionID {
			t.Errorf("got %s, %v, want %s", got, err, stored.VersionID)
		}
	}
	if allocations := testing.AllocsPerRun(1, revision); allocations > function.MaxVariables {
		t.Errorf("%v allocations", allocations)
	}
	text, err := encodeFunction(stored)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := revisionIn(ref, text[:len(`{"versionID":""`)+len(stored.VersionID)]); err != nil ||
		got != stored.VersionID {
		t.Errorf("the revision is not the first of a record: %s, %v", got, err)
	}
}

func TestVersionsOfRecordsFromBeforeAndOfOthers(t *testing.T) {
	for text, want := range map[string]string{
		`{"code":"\"versionID\":\"x\"","hash":"h","env":{"versionID":"y"},"versionID":"v","created":"","updated":""}`: "v",
		`{"code":"x","hash":"h","versionID":"","created":"","updated":""}`:                                            "hash:h",
		`{"code":"x","hash":"h"}`:            "hash:h",
		`{"code":"x"}`:                       "hash:",
		`{"code":"x","versionID":null}`:      "hash:",
		`{"code":"x","versionID":1}`:         "",
		`{"code":"x","hash":"h","versionID"`: "",
		`[]`:                                 "",
		``:                                   "",
	} {
		got, err := revisionIn(function.Ref{Namespace: "ns", ID: "id"}, []byte(text))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}
