package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

func TestModulesAreStoredAsTheyAreGiven(t *testing.T) {
	store, builder := newFakeStore(), &fakeBuilder{warnings: json.RawMessage(`[{"text":"w"}]`)}
	url := serve(t, Options{Store: store, Builder: builder, Runtimes: runtimes}) + "/namespaces/n/modules"
	files := &function.Source{
		Entry: "index.ts", Files: map[string][]byte{"index.ts": []byte("1"), "lib/b.ts": []byte("2")},
	}
	code := &function.Source{Entry: "index.js", Files: map[string][]byte{"index.js": []byte("exports.a = 1")}}
	const listed = `"entry":"index.ts","files":[{"path":"index.ts","size":1,"hash":"` + hashOf1 + `"},` +
		`{"path":"lib/b.ts","size":1,"hash":"` + hashOf2 + `"}],"hash":"`
	const asFiles = `{"entry":"index.ts","files":{"index.ts":"1","lib/b.ts":"2"}}`
	for _, row := range []struct{ name, query, body, media, want, hash string }{
		{"a", "", asFiles, "application/json", `{"name":"a","namespace":"n",` + listed, files.Hash()},
		{
			"b", "?entry=index.ts", targz(t, "index.ts", "1", "lib/b.ts", "2"), "application/gzip",
			`{"name":"b","namespace":"n",` + listed, files.Hash(),
		},
		{
			"c", "", `{"code":"exports.a = 1"}`, "application/json",
			`{"name":"c","namespace":"n","code":"exports.a = 1","hash":"`, code.Hash(),
		},
	} {
		res, body := do(t, newRequest(t, "PUT", url+"/"+row.name+row.query, row.body, "Content-Type", row.media))
		want := row.want + row.hash + `","updated":"`
		if res.StatusCode != 200 || !strings.HasPrefix(body, want) || !strings.HasSuffix(body, `,"warnings":[{"text":"w"}]}`) ||
			res.Header.Get("ETag") != row.hash || res.Header.Get("Server-Timing") != "build;dur=1000.000" {
			t.Errorf("%s: %d %v %s", row.name, res.StatusCode, res.Header, body)
		}
		res, body = do(t, newRequest(t, "GET", url+"/"+row.name, ""))
		if res.StatusCode != 200 || !strings.HasPrefix(body, want) || res.Header.Get("ETag") != row.hash {
			t.Errorf("%s: %d %v %s", row.name, res.StatusCode, res.Header, body)
		}
	}
	if got := strings.Join(builder.built, " "); got != "@n/a @n/b @n/c" {
		t.Errorf("built %s", got)
	}
	res, body := do(t, newRequest(t, "GET", url+"/a/files/lib/b.ts", ""))
	expect(t, res, body, 200, "2")
	res, body = do(t, newRequest(t, "GET", url+"/a/files/none", ""))
	expect(t, res, body, 404, `{"error":"File not found"}`)
	_, body = do(t, newRequest(t, "GET", url, ""))
	var list struct {
		Items []struct {
			Name, Hash string
			Files      int
			Size       int
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Items) != 3 || list.Items[0].Name != "a" ||
		list.Items[0].Hash != files.Hash() || list.Items[0].Files != 2 || list.Items[0].Size != 2 {
		t.Errorf("%v: %s", err, body)
	}
	for range 2 {
		res, body = do(t, newRequest(t, "DELETE", url+"/a", ""))
		expect(t, res, body, 204, "")
	}
	res, body = do(t, newRequest(t, "GET", url+"/a", ""))
	expect(t, res, body, 404, `{"error":"Module not found"}`)
	res, body = do(t, newRequest(t, "GET", url[:len(url)-len("n/modules")]+"none/modules", ""))
	expect(t, res, body, 200, `{"items":[]}`)
}

func TestModulesThatAreRefused(t *testing.T) {
	const media = "application/json"
	fault := buildError{outcome.BadRequest("index.ts:1: no")}
	for name, row := range map[string]struct {
		path, body string
		err        error
		status     int
		want       string
	}{
		"nothing":              {"n/modules/a", `{}`, nil, 400, `instance requires property`},
		"no JSON":              {"n/modules/a", `{`, nil, 400, `error`},
		"variables":            {"n/modules/a", `{"code":"1","env":{"A":"1"}}`, nil, 400, "instance.env is not for shared modules"},
		"an option":            {"n/modules/a", `{"files":{"a.js":""},"runtime":"node8"}`, nil, 400, "instance.runtime is not for shared modules"},
		"a name":               {"n/modules/a%2Fb", `{"code":"1"}`, nil, 400, `The module name \"a/b\" cannot be a part of an import`},
		"a dot":                {"n/modules/..%2e", `{"code":"1"}`, nil, 400, "cannot be a part of an import"},
		"a namespace":          {"n%20s/modules/a", `{"code":"1"}`, nil, 400, `The namespace \"n s\" cannot be a part of an import`},
		"a path":               {"n/modules/a", `{"files":{"../a.js":""}}`, nil, 400, "has the part"},
		"what is no code":      {"n/modules/a", `{"code":"1 1"}`, fault, 400, `{"error":"index.ts:1: no","details":[{"file":"index.ts","line":1}]}`},
		"builds are not there": {"n/modules/a", `{"code":"1"}`, errors.New("secret"), 500, `{"error":"internal error"}`},
	} {
		t.Run(name, func(t *testing.T) {
			store := newFakeStore()
			url := serve(t, Options{Store: store, Builder: &fakeBuilder{err: row.err}, Runtimes: runtimes})
			res, body := do(t, newRequest(t, "PUT", url+"/namespaces/"+row.path, row.body, "Content-Type", media))
			if res.StatusCode != row.status || !strings.Contains(body, row.want) {
				t.Errorf("%d %s, want %s", res.StatusCode, body, row.want)
			}
			if all, err := store.Modules(t.Context(), "n"); err != nil || len(all) > 0 {
				t.Errorf("stored %v, %v", all, err)
			}
		})
	}
}

func TestAFullNamespaceTakesNoMoreModules(t *testing.T) {
	store := newFakeStore()
	store.Limits.Modules = 1
	url := serve(t, Options{Store: store, Builder: &fakeBuilder{}, Runtimes: runtimes}) + "/namespaces/n/modules/"
	res, body := do(t, newRequest(t, "PUT", url+"a", `{"code":"1"}`, "Content-Type", "application/json"))
	expect(t, res, body[:1], 200, "{")
	res, body = do(t, newRequest(t, "PUT", url+"b", `{"code":"1"}`, "Content-Type", "application/json"))
	expect(t, res, body, 400, `{"error":"The namespace has as many shared modules as it may: delete some first"}`)
}

func TestFunctionsTellWhichVersionOfAModuleTheyHave(t *testing.T) {
	store := newFakeStore()
	module := function.NewModule(function.ModuleRef{Namespace: "n", Name: "m"},
		&function.Source{Files: map[string][]byte{"index.js": []byte("1")}}, false)
	if err := store.PutModule(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	for id, hash := range map[string]string{"a-current": module.Hash, "b-old": "old", "c-other": ""} {
		f := &function.Function{Ref: function.Ref{Namespace: "n", ID: id}, Code: "1"}
		if hash != "" {
			f.Artefact = &function.Artefact{Code: "1", Modules: []function.ModuleVersion{
				{Name: "@n/other", Hash: "1"}, {Name: "@n/m", Hash: hash},
			}}
		}
		if _, err := store.Put(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	url := serve(t, Options{Store: store}) + "/namespaces/n/modules/m"
	current, old := `{"id":"a-current","hash":"`+module.Hash+`","current":true}`, `{"id":"b-old","hash":"old","current":false}`
	res, body := do(t, newRequest(t, "GET", url+"/functions", ""))
	expect(t, res, body, 200, `{"items":[`+current+`,`+old+`],"page":1,"perPage":10}`)
	res, body = do(t, newRequest(t, "GET", url+"/functions?perPage=1&page=2", ""))
	expect(t, res, body, 200, `{"items":[`+old+`],"page":2,"perPage":1,"previousPage":1,"nextPage":3}`)
	res, body = do(t, newRequest(t, "GET", url+"/functions?perPage=101", ""))
	expect(t, res, body, 400, `{"error":"perPage must not be more than 100"}`)
	if res, body := do(t, newRequest(t, "DELETE", url, "")); res.StatusCode != http.StatusNoContent {
		t.Error(body)
	}
	res, body = do(t, newRequest(t, "GET", url+"/functions", "")) // it is in what they run all the same
	expect(t, res, body, 200, `{"items":[`+strings.Replace(current, "true", "false", 1)+`,`+old+`],"page":1,"perPage":10}`)
}

func TestAServerThatBuildsNothingHasNoModules(t *testing.T) {
	url := serve(t, Options{}) + "/namespaces/n/modules/m"
	res, body := do(t, newRequest(t, "PUT", url, `{"code":"1"}`, "Content-Type", "application/json"))
	expect(t, res, body, 400, `{"error":"This server builds no files, so there are no shared modules"}`)
}
