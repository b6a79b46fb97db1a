package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/npm"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// fakeBuilder makes a text that names the target, or fails.
type fakeBuilder struct {
	err    error
	inputs []build.Input
}

func (b *fakeBuilder) Build(_ context.Context, in build.Input) (build.Output, error) {
	b.inputs = append(b.inputs, in)
	if b.err != nil {
		return build.Output{}, b.err
	}
	return build.Output{
		Code: []byte("for " + in.Target.Runtime), Map: []byte(`{"version":3}`), Warnings: []build.Message{{Text: "<w>"}},
	}, nil
}

// fakePackages fails with err, or finds none.
type fakePackages struct{ err error }

func (p fakePackages) Packages(context.Context, map[string][]byte) (*npm.Set, error) {
	return &npm.Set{}, p.err
}

var (
	node8  = sandbox.Runtime{Name: "node8", Version: "v8.17.0"}
	node24 = sandbox.Runtime{Name: "node24", Version: "v24.1.0"}
	ref    = function.Ref{Namespace: "ns", ID: "id"}
)

func deployer(b build.Builder, err error, runtimes ...sandbox.Runtime) *deploy.Deployer {
	return deploy.New(deploy.Options{
		Owner:   func(namespace string) string { return namespace },
		Builder: b, Packages: fakePackages{err}, Runtimes: func() []sandbox.Runtime { return runtimes },
		External: func(runtime string) []string { return []string{"of " + runtime} },
	})
}

// given is a function of one file.
func given(runtime string) *function.Function {
	f := &function.Function{Ref: ref, Source: &function.Source{
		Entry: "a.ts", Files: map[string][]byte{"a.ts": []byte("1")},
	}}
	if runtime != "" {
		f.Options.Runtime = &runtime
	}
	return f
}

func TestFilesAreBuiltForTheRuntimeOfTheirFunction(t *testing.T) {
	for runtime, want := range map[string]build.Target{
		"":       {Runtime: "node8", Node: "v8.17.0", Newest: "node24"},
		"node8":  {Runtime: "node8", Node: "v8.17.0", Newest: "node24"},
		"node24": {Runtime: "node24", Node: "v24.1.0"},
	} {
		b := &fakeBuilder{}
		f := given(runtime)
		built, err := deployer(b, nil, node8, node24).Build(t.Context(), f)
		if err != nil || string(built.Warnings) != `[{"text":"<w>"}]` || built.Took <= 0 {
			t.Errorf("%q: %+v, %v", runtime, built, err)
			continue
		}
		if in := b.inputs[0]; in.Target != want || in.Entry != "a.ts" || len(in.Files) != 1 ||
			fmt.Sprint(in.External) != "[of "+want.Runtime+"]" {
			t.Errorf("%q: built from %+v", runtime, in)
		}
		if a := f.Artefact; a.Code != "for "+want.Runtime || a.Runtime != want.Runtime || "v"+a.Node != want.Node ||
			a.Entry != "a.ts" || len(a.Files) != 1 || !a.Intact() || string(f.Source.Map) != `{"version":3}` {
			t.Errorf("%q: artefact %+v", runtime, a)
		}
	}
	f := &function.Function{Ref: ref, Code: "function main() {}"}
	built, err := deployer(&fakeBuilder{}, nil, node8).Build(t.Context(), f)
	if err != nil || built.Took != 0 || f.Artefact != nil {
		t.Errorf("code: %+v, %v, %+v", built, err, f.Artefact)
	}
}

func TestErrorsOfBuildsSayWhatTheyMean(t *testing.T) {
	fault := &build.Error{Messages: []build.Message{
		{File: "a.ts", Line: 1, Column: 2, LineText: "x", Text: "no", Hint: "h"}, {File: "b.ts", Text: "neither"},
	}}
	for name, row := range map[string]struct {
		builder, packages error
		runtime           string
		status            int
		message, details  string
	}{
		"fault": {
			builder: fmt.Errorf("x: %w", fault), status: 400, message: "a.ts:1:2: no (h)",
			details: `[{"file":"a.ts","line":1,"column":2,"source":"x","text":"no","hint":"h"},` +
				`{"file":"b.ts","text":"neither"}]`,
		},
		"busy":      {builder: build.ErrBusy, status: 503, message: "Too many builds are under way"},
		"too large": {builder: fmt.Errorf("%w: 9", build.ErrTooLarge), status: 413, message: "too large to build: 9"},
		"too slow":  {builder: build.ErrTimeout, status: 400, message: "the build took too long"},
		"packages":  {packages: outcome.BadRequest("no registry"), status: 400, message: "no registry"},
		"runtime":   {runtime: "node6", status: outcome.Of(&sandbox.RuntimeError{}).Status, message: "node6"},
		"unknown":   {builder: errors.New("secret"), status: 500, message: "internal error"},
		"canceled":  {builder: context.Canceled, status: outcome.StatusClientClosed, message: "Client closed"},
	} {
		f := given(row.runtime)
		_, err := deployer(&fakeBuilder{err: row.builder}, row.packages, node8).Build(t.Context(), f)
		if err == nil || f.Artefact != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if o := outcome.Of(err); o.Status != row.status || !strings.Contains(o.Message, row.message) {
			t.Errorf("%s: %+v", name, o)
		}
		detailed, ok := errors.AsType[interface {
			error
			Details() json.RawMessage
		}](err)
		if ok != (row.details != "") || ok && string(detailed.Details()) != row.details {
			t.Errorf("%s: details %v", name, ok)
		}
	}
}

func TestArtefactsForNewerNodeAreBuiltAnew(t *testing.T) {
	store := mem.New()
	first := given("")
	if _, err := deployer(&fakeBuilder{}, nil, node24).Build(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	fault := &build.Error{Messages: []build.Message{{File: "a.ts", Line: 1, Column: 2, Text: "no"}}}
	for _, row := range []struct {
		name     string
		runtimes []sandbox.Runtime
		err      error
		code     string
		builds   int
		want     string
	}{
		{"the same", []sandbox.Runtime{node24}, nil, "for node24", 0, ""},
		{"a newer one", []sandbox.Runtime{{Name: "node26", Version: "v26.0.0"}}, nil, "for node24", 0, ""},
		{"an older one", []sandbox.Runtime{node8, node24}, nil, "for node8", 1, ""},
		{"none", nil, nil, "for node24", 0, ""},
		{
			"a fault",
			[]sandbox.Runtime{node8},
			fault, "", 1,
			"was built for Node.js 24.1.0 and cannot be built for the runtime node8: a.ts:1:2: no",
		},
		{"busy", []sandbox.Runtime{node8}, build.ErrBusy, "", 1, "Too many builds"},
	} {
		b := &fakeBuilder{err: row.err}
		source := &deploy.Source{Store: store, Deployer: deployer(b, nil, row.runtimes...)}
		f, err := source.Get(t.Context(), ref)
		if row.want == "" && (err != nil || f.Program() != row.code) ||
			row.want != "" && !strings.Contains(fmt.Sprint(err), row.want) || len(b.inputs) != row.builds {
			t.Errorf("%s: %v, %v, %d builds", row.name, f, err, len(b.inputs))
		}
		if err == nil && f.Hash != first.Source.Hash() {
			t.Errorf("%s: the hash is %s", row.name, f.Hash)
		}
	}
	if stored, err := store.Get(t.Context(), ref); err != nil || stored.Program() != "for node24" {
		t.Errorf("stored is %v, %v", stored, err)
	}
}
