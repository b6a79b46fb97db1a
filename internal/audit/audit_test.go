package audit

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever callers send is text within one line of JSON.
func TestARecordIsOneLine(t *testing.T) {
	hostile := "a\n{\"result\":\"done\"}\r\x00\x1b[2J\u2028\"\\\xff" + strings.Repeat("é", 5000)
	r := Record{
		Time: time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC), Result: Refused, Action: hostile, Reason: hostile,
		Actor: hostile, Claimed: hostile, Address: hostile, Namespaces: []string{hostile}, Hash: hostile,
		Target: map[string]string{"id": hostile, hostile[:9]: "x"}, RequestID: hostile, Revision: hostile, Role: hostile,
	}
	text := r.JSON()
	if bytes.ContainsFunc(text, func(c rune) bool { return c < ' ' }) || !utf8.Valid(text) || len(text) > 20<<10 {
		t.Errorf("%d bytes: %.300q", len(text), text)
	}
	again, err := Parse(text)
	if err != nil || !strings.HasPrefix(again.Namespaces[0], "a\n{") || !strings.HasSuffix(again.Target["id"], "…") {
		t.Errorf("%v, %.100q", err, again.Namespaces)
	}
	if r.Namespaces[0] != hostile || r.Target["id"] != hostile {
		t.Error("the record was changed")
	}
}

func TestARecordIsReadAsWritten(t *testing.T) {
	r := Record{
		ID: "1-0", Time: time.Date(2026, 11, 29, 1, 2, 3, 4000, time.UTC), Result: Done, Status: 200, Action: "PUT /x",
		Actor: "K", Address: "::1", Namespaces: []string{"a"}, Target: map[string]string{"id": "f"}, Hash: "h",
		Revision: "v", Role: "admin", RequestID: "q", Dropped: 3, Reason: "r", Claimed: "C",
	}
	if again, err := Parse(r.JSON()); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("%v: %+v, want %+v", err, again, r)
	}
}

func TestWhoHasMostLosesTheirOldest(t *testing.T) {
	for _, row := range []struct {
		groups string
		most   int
		drop   []int
	}{
		{"", 4, nil},
		{"abab", 4, nil},
		{"aaaaa", 3, []int{0, 1}},
		{"baaaa", 3, []int{1, 2}},
		{"bbaaaa", 4, []int{2, 3}},
		{"aabbcc", 3, []int{0, 2, 4}},
		{"aabbcc", 5, []int{0}},
		{"abc", 1, []int{0, 1}},
	} {
		if drop := Evict(strings.Split(row.groups, "")[:len(row.groups)], row.most); !slices.Equal(drop, row.drop) {
			t.Errorf("of %s %v are dropped for %d, want %v", row.groups, drop, row.most, row.drop)
		}
	}
}

func TestAFilterSelects(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Record{Time: at, Result: Done, Actor: "K", Action: "PUT /x", Namespaces: []string{"a", "b"}}
	for _, row := range []struct {
		filter Filter
		want   bool
	}{
		{Filter{}, true},
		{Filter{Since: at}, true},
		{Filter{Since: at.Add(1)}, false},
		{Filter{Namespace: "b", Actor: "K", Action: "PUT /x", Result: "done"}, true},
		{Filter{Namespace: "c"}, false},
		{Filter{Actor: "k"}, false},
		{Filter{Action: "PUT"}, false},
		{Filter{Result: "refused"}, false},
	} {
		if got := row.filter.Matches(r); got != row.want {
			t.Errorf("%+v: %t", row.filter, got)
		}
	}
}
