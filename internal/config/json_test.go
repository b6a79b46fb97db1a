package config

import (
	"strings"
	"testing"
)

func TestUnknownNamesInJSONAreRefusedWithASuggestion(t *testing.T) {
	for value, want := range map[string]string{
		`{"pay":{"egres":"off"}}`:                 `"pay" has an error: "egres" is not known; there are egress, allow or deny: did you mean "egress"?`,
		`{"pay":{"EGRESS":"off"}}`:                `"EGRESS" is not known; there are egress, allow or deny: did you mean "egress"?`,
		`{"pay":{"colour":"off"}}`:                `"colour" is not known; there are egress, allow or deny, got`,
		`{"pay":{"egress":"of"}}`:                 `egress must be public, off or all`,
		`{"pay":{"egress":null}}`:                 `egress must be public, off or all`,
		`{"pay":null}`:                            `"pay" is not an object`,
		`{"pay":{"egress":"off","egress":"all"}}`: `"egress" appears twice`,
		`{"pay":{},"pay":{}}`:                     `"pay" appears twice`,
		`{"pay":{}} {}`:                           `there is text after it`,
		`{"pay":{}`:                               `it has no end`,
	} {
		_, err := from("EGRESS_NAMESPACES=" + value)
		if err == nil || !strings.HasPrefix(err.Error(), "EGRESS_NAMESPACES: must be a JSON object") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", value, err, want)
		}
	}
}

func TestNamesTwiceAreFoundAtAnyDepth(t *testing.T) {
	for _, value := range []string{`{"a":{"b":1,"b":2}}`, `{"a":[0,[{"b":1,"b":2}]]}`, `{"a":1,"\u0061":2}`} {
		if _, err := from("LOG_FIELDS=" + value); err == nil || !strings.Contains(err.Error(), "appears twice") {
			t.Errorf("%s: %v", value, err)
		}
	}
	mustLoad(t, `LOG_FIELDS={"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]}`)
}

func FuzzObjectsAreReadAsTheyAreOrRefused(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":1}`, `{"a":{"a":[]}}`, `{"a":1,"a":1}`, `{} x`, `[`, "{\"\xff\":1}", `{"a":"\ud800"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		members, err := readObject(text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, m := range members {
			if seen[m.name] || len(m.value) == 0 {
				t.Errorf("%q: %q", text, members)
			}
			seen[m.name] = true
		}
	})
}
