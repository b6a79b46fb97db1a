package redis

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestOrdinaryNamesAreThoseOfTheOriginal(t *testing.T) {
	for _, ref := range []function.Ref{
		{Namespace: "ns", ID: "id"},
		{Namespace: "a.b-c_d", ID: "x"},
		{Namespace: "100%", ID: "a/b:c"},
		{Namespace: "%20", ID: "%2F"},
		{Namespace: "ação", ID: "função"},
	} {
		k := keys("local")
		if got, want := k.function(ref), "localcode:"+ref.Namespace+"/"+ref.ID; got != want {
			t.Errorf("key is %q, want %q", got, want)
		}
		if got, want := member(ref), ref.Namespace+":"+ref.ID; got != want {
			t.Errorf("member is %q, want %q", got, want)
		}
		if got, want := k.namespace(ref.Namespace), "localnamespace:"+ref.Namespace; got != want {
			t.Errorf("namespace key is %q, want %q", got, want)
		}
	}
}

func TestNamespacesThatCouldMeetAreEscaped(t *testing.T) {
	for namespace, want := range map[string]string{
		"a/b": "a%2Fb", "a:b": "a%3Ab", "a%2Fb": "a%252Fb", "a%2fb": "a%252fb", "%3a": "%253a", "%25": "%2525", "50%/": "50%25%2F",
	} {
		if got := escape(namespace); got != want {
			t.Errorf("%q becomes %q, want %q", namespace, got, want)
		}
	}
}

func TestMembersThatNobodyWroteAreRefused(t *testing.T) {
	for _, text := range []string{"", "no colon", "a/b:c", "a%2fb:c", "a%25b:c"} {
		if ref, ok := parseMember(text); ok {
			t.Errorf("%q is taken for %q", text, ref)
		}
	}
}

func FuzzNamesAreInjective(f *testing.F) {
	f.Add("a/b", "c", "a", "b/c")
	f.Add("a:b", "c", "a", "b:c")
	f.Add("a%2Fb", "c", "a/b", "c")
	f.Add("a%25", "c", "a%", "c")
	f.Fuzz(func(t *testing.T, ns1, id1, ns2, id2 string) {
		one, two := function.Ref{Namespace: ns1, ID: id1}, function.Ref{Namespace: ns2, ID: id2}
		if got, ok := parseMember(member(one)); !ok || got != one {
			t.Errorf("%q comes back as %q, %v", one, got, ok)
		}
		k := keys("local")
		if one != two && (member(one) == member(two) || k.function(one) == k.function(two)) {
			t.Errorf("%q and %q share a name", one, two)
		}
		if ns1 != ns2 && k.namespace(ns1) == k.namespace(ns2) {
			t.Errorf("namespaces %q and %q share a name", ns1, ns2)
		}
		if ref, ok := parseMember(ns1); ok && member(ref) != ns1 {
			t.Errorf("%q is read as %q, which is written %q", ns1, ref, member(ref))
		}
		if strings.ContainsAny(escape(ns1), "/:") {
			t.Errorf("%q keeps a separator", ns1)
		}
	})
}
