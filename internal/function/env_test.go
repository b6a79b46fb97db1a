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

func TestEnvRefusesWhatIsNotAnObject(t *testing.T) {
	for _, text := range []string{"null", "[]", "1", `"a"`, `{"a":1`, `{"a":}`, `{"a":nul}`, `{"a":{]}`, `{a:1}`, ""} {
		e := NewEnv(Var{"kept", "yes"})
		if err := e.UnmarshalJSON([]byte(text)); err == nil || e.Len() != 1 {
			t.Errorf("%s: got %v, %v", text, e.Vars(), err)
		}
	}
}

func TestValuesThatAreNoStringsStayWhatTheyAre(t *testing.T) {
	const text = `{"N":1.50,"T":true,"F":false,"Z":null,"O":{ "b" : [1, "<"] },"S":"1","L":[],"twice":1,"twice":"2","again":"1","again":2}`
	const want = `{"N":1.50,"T":true,"F":false,"Z":null,"O":{"b":[1,"<"]},"S":"1","L":[],"twice":"2","again":2}`
	var e Env
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	wantText := func(e *Env, want string) {
		t.Helper()
		if got, err := e.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("written as %s, %v, want %s", got, err, want)
		}
	}
	wantText(&e, want)
	if got := e.Odd(); !slices.Equal(got, []string{"Z", "O", "L"}) {
		t.Errorf("odd are %q", got)
	}
	if got := e.Scalars(); !slices.Equal(got, []string{"N", "T", "F", "again"}) {
		t.Errorf("scalars are %q", got)
	}
	wantText(e.Without([]string{"Z", "O", "L"}), `{"N":1.50,"T":true,"F":false,"S":"1","twice":"2","again":2}`)
	c := e.Clone()
	for _, name := range []string{"T", "F", "Z", "O", "S", "L", "twice", "again"} {
		if e.IsString(name) != (name == "S" || name == "twice") {
			t.Errorf("%s is a string: %v", name, e.IsString(name))
		}
		c.Unset(name)
	}
	c.Set("T", "true")
	wantText(c, `{"N":1.50,"T":"true"}`)
	c.Set("N", "1")
	wantText(c, `{"N":"1","T":"true"}`)
	wantText(&e, want)
	number := &Function{Env: &e, Settings: &Namespace{SentryDSN: new("of the namespace")}}
	if err := json.Unmarshal([]byte(`{"sentryDSN":1}`), &e); err != nil || *number.SentryDSN() != "of the namespace" {
		t.Errorf("%v, %v", err, number.SentryDSN())
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
