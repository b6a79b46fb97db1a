package function

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEnvIsOrderedAsJavaScriptOrdersKeys(t *testing.T) {
	text := `{"b":"1","10":"2","a":"3","2":"4","01":"5","4294967295":"6","4294967294":"7","b":"8"}`
	want := `{"2":"4","10":"2","4294967294":"7","b":"8","a":"3","01":"5","4294967295":"6"}`
	var read, built Env
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	for _, v := range []Var{
		{"b", "1"}, {"10", "2"}, {"a", "3"}, {"2", "4"}, {"01", "5"}, {"4294967295", "6"}, {"4294967294", "7"}, {"b", "8"},
	} {
		built.Set(v.Name, v.Value)
	}
	for name, e := range map[string]*Env{"read": &read, "set one by one": &built, "built at once": NewEnv(read.Vars()...)} {
		if got, _ := e.MarshalJSON(); string(got) != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestEnvRefusesWhatIsNotAnObjectOfStrings(t *testing.T) {
	for _, text := range []string{"null", "[]", "1", `"a"`, `{"a":1}`, `{"a":null}`, `{"a":{}}`, `{"a":["b"]}`} {
		e := NewEnv(Var{"kept", "yes"})
		if err := e.UnmarshalJSON([]byte(text)); err == nil || e.Len() != 1 {
			t.Errorf("%s: got %v, %v", text, e.Vars(), err)
		}
	}
}

func TestALargeEnvIsReadInLinearTime(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		b.WriteString(",\"v" + strconv.Itoa(i) + `":""`)
	}
	var e Env
	if err := json.Unmarshal([]byte("{"+b.String()[1:]+"}"), &e); err != nil || e.Len() != 200_000 {
		t.Fatalf("%d variables, %v", e.Len(), err)
	}
	if !slices.Equal(e.Vars(), e.Clone().Vars()) {
		t.Error("the clone differs")
	}
}

func TestAnEnvThatIsTooLargeCanStillBeMended(t *testing.T) {
	limits := Limits{EnvBytes: 40}
	e := NewEnv(Var{"A", strings.Repeat("a", 100)}, Var{"B", ""})
	if err := limits.Set(e.Clone(), "C", ""); err == nil {
		t.Error("it may grow")
	}
	if err := limits.Set(e.Clone(), "A", strings.Repeat("b", 100)); err != nil {
		t.Errorf("one of the same length: %v", err)
	}
	if err := limits.Set(e, "A", "short"); err != nil {
		t.Errorf("a shorter one: %v", err)
	}
}
