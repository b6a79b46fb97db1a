package function_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// list is a JSON array of so many texts.
func list(n int, form string) string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%q", fmt.Sprintf(form, i))
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func TestCORSIsKeptInOneForm(t *testing.T) {
	option := function.OptionOf("cors")
	const odd = `{"origins":["null","http://localhost:3000","capacitor://localhost","http://[::1]:8080"]}`
	most := `{"origins":` + list(50, "https://%d.example") + `,"headers":` + list(50, "X-%d") + `}`
	for given, want := range map[string]string{
		`{}`: `{}`,
		odd:  odd,
		most: most,
		`{ "credentials" : true, "maxAge":"600s", "origins":["https://a.example"] }`:// in another order
		`{"origins":["https://a.example"],"credentials":true,"maxAge":"10m"}`,
		`{"origins":["*"],"methods":["PURGE"],"headers":["X-A"],"expose":[],"credentials":false}`:// which is the default
		`{"origins":["*"],"methods":["PURGE"],"headers":["X-A"],"expose":[]}`,
	} {
		for range 2 { // what was stored can be put again
			var o function.Options
			if fault := option.Parse(&o, json.RawMessage(given)); fault != "" {
				t.Errorf("%s: %s", given, fault)
			}
			if got, ok := option.Get(&o); !ok || got != want {
				t.Errorf("%s is kept as %s, want %s", given, got, want)
			}
			given = want
		}
	}
}

func TestCORSThatCannotWorkIsRefused(t *testing.T) {
	option := function.OptionOf("cors")
	for given, want := range map[string]string{
		`[]`:                                                         " is not of a type(s) object",
		`null`:                                                       " is not of a type(s) object",
		`"*"`:                                                        " is not of a type(s) object",
		`{"credentials":true}`:                                       ".origins has 0 entries",
		`{"origins":[]}`:                                             ".origins has 0 entries",
		`{"origins":"*"}`:                                            ".origins is not an array of strings",
		`{"origins":null}`:                                           ".origins is not an array of strings",
		`{"origins":[1]}`:                                            ".origins is not an array of strings",
		`{"origin":["*"]}`:                                           `.origin is not known: did you mean "origins"?`,
		`{"origins":["*"],"maxage":"10m"}`:                           `.maxage is not known: did you mean "maxAge"?`,
		`{"origins":["*"],"cookies":true}`:                           `: there are origins, methods, headers, expose, cred`,
		`{"origins":["*"],"credentials":true}`:                       "which browsers refuse",
		`{"origins":["*","https://a.example"]}`:                      "others beside it",
		`{"origins":["https://a.example/"]}`:                         "no origin such as",
		`{"origins":["https://a.example/p"]}`:                        "no origin such as",
		`{"origins":["a.example"]}`:                                  "no origin such as",
		`{"origins":["HTTPS://a.example"]}`:                          "no origin such as",
		`{"origins":["https://A.example"]}`:                          "no origin such as",
		`{"origins":["https://u@a.example"]}`:                        "no origin such as",
		`{"origins":["https://a.example\n"]}`:                        "no origin such as",
		`{"origins":["https://*.example"]}`:                          `has a "*"`,
		`{"origins":["https://a.example:443"]}`:                      "browsers leave it out",
		`{"origins":["http://a.example:80"]}`:                        "browsers leave it out",
		`{"origins":["*"],"headers":["a b"]}`:                        ".headers has \"a b\"",
		`{"origins":["*"],"headers":["*"]}`:                          `.headers has "*", which stands for nothing here: name`,
		`{"origins":["*"],"methods":["*"]}`:                          `.methods has "*", which stands for nothing here: name`,
		`{"origins":["*"],"methods":["G T"]}`:                        ".methods has \"G T\"",
		`{"origins":["*"],"expose":["a\n"]}`:                         ".expose has",
		`{"origins":["*"],"credentials":1}`:                          ".credentials is not",
		`{"origins":["*"],"credentials":null}`:                       ".credentials is not",
		`{"origins":["*"],"maxAge":600}`:                             ".maxAge is not a duration",
		`{"origins":["*"],"maxAge":"25h"}`:                           ".maxAge is not a duration",
		`{"origins":` + list(51, "https://%d.example") + `}`:         ".origins has 51 entries",
		`{"origins":["*"],"headers":` + list(51, "X-%d") + `}`:       ".headers has 51 entries",
		`{"origins":["https://` + strings.Repeat("a", 8<<10) + `"]}`: " bytes, 8192 are the most",
	} {
		var o function.Options
		if fault := option.Parse(&o, json.RawMessage(given)); !strings.Contains(fault, want) || o.CORS != nil {
			t.Errorf("%.60s: %q, want %q", given, fault, want)
		}
	}
}
