package rawjson_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/backstage/functions/sandbox/rawjson"
)

const depth = 10_000 // that of encoding/json

func TestScanStopsAtTheFault(t *testing.T) {
	for text, stopped := range map[string]int{
		"": 0, " ": 1, "[": 1, `{"a":`: 5, `"a`: 2, `"\u12`: 5, "1e": 2, "tru": 3, // something is missing
		"x": 0, "{}x": 2, "[1,]": 3, `{"a" 1}`: 5, "{1}": 1, "01": 1, "-a": 1, "1.e": 2, "nulL": 3, `"\x"`: 2, `"\u00g0"`: 5, "\"\n\"": 1, "[}": 1,
	} {
		if got := rawjson.Scan([]byte(text), depth); got.OK || got.Stopped != stopped || got.TooDeep {
			t.Errorf("%q: %+v, want it stopped at %d", text, got, stopped)
		}
	}
	for _, text := range []string{"0", "-1.5e+10", "1E-2", `""`, ` { "a" : [ true , false , null , { } , [ ] ] } `, `"\ud800\"\\\/\b\f\n\r\t"`, `{"a":1,"a":2}`} {
		if got := rawjson.Scan([]byte(text), depth); got != (rawjson.Outcome{OK: true, Stopped: len(text)}) {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestScanKeepsToItsDepth(t *testing.T) {
	nested := func(levels int) []byte {
		return []byte(strings.Repeat(`[{"a":`, levels/2) + strings.Repeat("[", levels%2) + "1" + strings.Repeat("]", levels%2) + strings.Repeat("}]", levels/2))
	}
	for _, limit := range []int{0, 1, 2, 7, depth} {
		if got := rawjson.Scan(nested(limit), limit); !got.OK {
			t.Errorf("depth %d: %+v", limit, got)
		}
		text := nested(limit + 1)
		stopped := strings.LastIndexAny(string(text), "[{")
		if got := rawjson.Scan(text, limit); got != (rawjson.Outcome{Stopped: stopped, TooDeep: true}) {
			t.Errorf("one level more than %d: %+v, want it stopped at %d", limit, got, stopped)
		}
	}
	flat := []byte("[" + strings.Repeat(`[],{"a":{}},`, 1000) + "[]]")
	if got := rawjson.Scan(flat, 3); !got.OK {
		t.Errorf("levels that were left again counted: %+v", got)
	}
}

func TestEachBracketIsClosedByItsOwn(t *testing.T) {
	const levels = 300
	var opening, closing string
	for i := range levels { // in no pattern that repeats soon
		if i*i%7 < 3 {
			opening, closing = opening+"[", "]"+closing
		} else {
			opening, closing = opening+`{"":`, "}"+closing
		}
	}
	text := []byte(opening + "0" + closing)
	if got := rawjson.Scan(text, levels); !got.OK {
		t.Fatalf("%+v", got)
	}
	for at := len(text) - levels; at < len(text); at++ {
		wrong := slices.Clone(text)
		wrong[at] ^= '}' ^ ']'
		if got := rawjson.Scan(wrong, levels); got.OK || got.Stopped != at {
			t.Errorf("the wrong bracket at %d: %+v", at, got)
		}
	}
}

// Strings are read several bytes at a time: each character is put into every place of one, among such as differ least
// from those sought.
func TestScanFindsEveryCharacterEverywhereInAString(t *testing.T) {
	for _, around := range []string{"a", "!", "#", "[", "\u007f", "é", "\u00a2"} {
		for c := range rune(256) {
			for place := range 24 {
				text := []byte(`"` + strings.Repeat(around, place) + string(c) + strings.Repeat(around, 24-place) + `"`)
				got := rawjson.Scan(text, depth)
				if got.OK != json.Valid(text) {
					t.Fatalf("%q: %+v", text, got)
				}
				if at := 1 + place*len(around); c < ' ' && got.Stopped != at {
					t.Fatalf("%q: %+v, want it stopped at %d", text, got, at)
				}
			}
		}
	}
}

func FuzzScanAgreesWithEncodingJSON(f *testing.F) {
	for _, text := range []string{` {"a":[1,-2.5e+3,"\u00e9\n",true,false,null,{}]} `, `"a long text with a \" and a \\ in it"`, "\"\x00\"", "\"\xff\"", "[1e5,0.1,-0]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := rawjson.Scan(text, depth)
		if got.OK != json.Valid(text) {
			t.Fatalf("%q: %+v", text, got)
		}
		if got.OK && got.Stopped != len(text) {
			t.Fatalf("%q: %+v", text, got)
		}
		// What is before the fault is none yet, and the byte there makes it one, whatever follows.
		if before := rawjson.Scan(text[:got.Stopped], depth); before.Stopped != got.Stopped {
			t.Fatalf("%q: %+v, but what is before that %+v", text, got, before)
		}
		if got.Stopped < len(text) {
			if with := rawjson.Scan(text[:got.Stopped+1], depth); with != got {
				t.Fatalf("%q: %+v, but without the rest %+v", text, got, with)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	record := `{"name":"Ada","tags":["x","y"],"age":36,"address":{"city":"London","zip":"W1U 6RS"}}`
	for name, content := range map[string]string{
		"small": record, "records": "[" + strings.Repeat(record+",", 1000) + "{}]", "text": `{"text":"` + strings.Repeat("a", 100_000) + `"}`,
	} {
		text := []byte(content)
		for by, valid := range map[string]func([]byte) bool{
			"rawjson":       func(text []byte) bool { return rawjson.Scan(text, depth).OK },
			"encoding-json": json.Valid,
			"go-json-experiment": func(text []byte) bool {
				return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
			},
		} {
			b.Run(name+"/"+by, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if !valid(text) {
						b.Fatal("not valid")
					}
				}
			})
		}
	}
}
