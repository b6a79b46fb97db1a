package qs_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/httpd/qs"
)

func ExampleParse() {
	query := qs.Parse("steps[0]=shop/price&steps[1]=shop/tax&currency=EUR")
	steps, _ := query.Get("steps")
	for _, step := range steps.List() {
		fmt.Println(step.Text())
	}
	fmt.Println(string(query.AppendJSON(nil)))
	// Output:
	// shop/price
	// shop/tax
	// {"steps":["shop/price","shop/tax"],"currency":"EUR"}
}

func TestEachKindTellsItsOwnValueOnly(t *testing.T) {
	query := qs.Parse("text=x&list[]=1&list[]=2&object[a]=1&object=flag")
	for name, kind := range map[string]qs.Kind{"text": qs.Text, "list": qs.List, "object": qs.Object} {
		v, ok := query.Get(name)
		if !ok || v.Kind() != kind {
			t.Fatalf("%s is %v, kind %v", name, ok, v)
		}
		if (v.Text() != "") != (kind == qs.Text) || (v.List() != nil) != (kind == qs.List) {
			t.Errorf("%s: text %q, list %v", name, v.Text(), v.List())
		}
		if _, ok := v.Get("a"); ok != (kind == qs.Object) {
			t.Errorf("%s: member found: %v", name, ok)
		}
	}
	object, _ := query.Get("object")
	if flag, ok := object.Get("flag"); !ok || flag.Kind() != qs.True || flag.Text() != "" {
		t.Errorf("text beside an object is %+v, want true", flag)
	}
	if _, ok := query.Get("toString"); ok {
		t.Error("a name that was not sent is found")
	}
}

func TestGetFindsEachOfManyNames(t *testing.T) {
	var params []string
	for i := range 100 {
		params = append(params, fmt.Sprintf("k%d=%d&%d=x", i, i, 100-i))
	}
	query := qs.Parse(strings.Join(params, "&"))
	for i := range 100 {
		if v, ok := query.Get(fmt.Sprintf("k%d", i)); !ok || v.Text() != fmt.Sprint(i) {
			t.Errorf("k%d is %v", i, v)
		}
		if v, ok := query.Get(fmt.Sprint(100 - i)); !ok || v.Text() != "x" {
			t.Errorf("%d is %v", 100-i, v)
		}
	}
}

func TestBytesThatAreNotUTF8AreLatin1(t *testing.T) {
	for text, want := range map[string]string{
		"a\xff=\xc3(":         `{"aÿ":"Ã("}`,
		"a=Jos\xe9":           `{"a":"José"}`,
		"a=é&b=\xe9&\xe9=é":   `{"a":"é","b":"é","é":"é"}`,
		"a=\xe9+b%20c%C3%A9":  `{"a":"é b cé"}`,
		"a=\xe9%":             `{"a":"é%"}`,
		"a=\xc3%A9":           `{"a":"Ã%A9"}`,
		"a=%E9":               `{"a":"%E9"}`,
		"\xe9[\xe8]=1&é[ü]=2": `{"é":{"è":"1","ü":"2"}}`,
	} {
		query := qs.Parse(text)
		if got := string(query.AppendJSON(nil)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if v, ok := qs.Parse("a\xff=\xc3(").Get("aÿ"); !ok || v.Text() != "Ã(" {
		t.Errorf("member is %v", v)
	}
}

func TestEmptyQueryCostsNothing(t *testing.T) {
	buf := make([]byte, 0, 16)
	allocs := testing.AllocsPerRun(100, func() { buf = qs.Parse("").AppendJSON(buf[:0]) })
	if string(buf) != "{}" || allocs != 0 {
		t.Errorf("got %s with %v allocations", buf, allocs)
	}
}

func TestParametersPastTheThousandthAreIgnored(t *testing.T) {
	list, _ := qs.Parse(strings.Repeat("a=1&", 5000)).Get("a")
	if got := len(list.List()); got != 1000 {
		t.Errorf("read %d values", got)
	}
}

func TestHostileQueriesStaySmall(t *testing.T) {
	var distinct strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&distinct, "p%d[20][20][20][20][20][20]=x&", i)
	}
	for name, query := range map[string]string{
		"opening brackets": strings.Repeat("[", 1<<20),
		"closing brackets": strings.Repeat("]", 1<<20),
		"pairs":            strings.Repeat("[]", 1<<19),
		"unclosed names":   strings.Repeat("[a", 1<<19),
		"indices":          "a" + strings.Repeat("[20]", 1<<18) + "=x",
		"ampersands":       strings.Repeat("&", 1<<20),
		"percent signs":    strings.Repeat("%", 1<<20),
		"sparse lists":     distinct.String(),
		"holes":            strings.Repeat("a=x&a[20]=y&a[]=z&", 400),
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(qs.Parse(query).AppendJSON(nil)); got > len(query)+64 {
				t.Errorf("%d bytes of query became %d bytes of JSON", len(query), got)
			}
		})
	}
}

func TestValuesCanBeReadByManyGoroutines(t *testing.T) {
	query := qs.Parse("b=1&a[1]=x&a[0]=y&1=z")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := string(query.AppendJSON(nil)); got != `{"1":"z","b":"1","a":["y","x"]}` {
				t.Errorf("got %s", got)
			}
			if _, ok := query.Get("a"); !ok {
				t.Error("a is missing")
			}
		})
	}
	wg.Wait()
}

func BenchmarkParse(b *testing.B) {
	for name, query := range map[string]string{
		"empty":  "",
		"flat":   "page=1&perPage=10&namespace=shop",
		"nested": "steps[0]=shop/price&steps[1]=shop/tax&filter[name]=caf%C3%A9+au+lait",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 512)
			for b.Loop() {
				buf = qs.Parse(query).AppendJSON(buf[:0])
			}
		})
	}
}
