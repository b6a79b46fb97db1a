package sentry

import (
	"strconv"
	"strings"
	"testing"
)

func reportOf(owner string) *report { return &report{project: project{owner: owner}} }

// fill offers reports of a namespace until one is refused, and returns how many were not.
func fill(q *queue, namespace string) int {
	for n := 0; ; n++ {
		if room := q.hasRoom(namespace); (q.offer(reportOf(namespace)) == nil) != room {
			panic("an offer is not what was said")
		} else if !room {
			return n
		}
	}
}

func TestOneNamespaceNeverTakesTheLastPlaces(t *testing.T) {
	for _, row := range []struct{ size, alone, later int }{{1, 1, 0}, {2, 1, 1}, {8, 7, 1}, {64, 56, 7}, {192, 168, 21}} {
		t.Run(strconv.Itoa(row.size), func(t *testing.T) {
			q := newQueue(row.size, false)
			if got := fill(q, "evil"); got != row.alone {
				t.Errorf("one alone has %d places, want %d", got, row.alone)
			}
			if got := fill(q, "later"); got != row.later {
				t.Errorf("one that comes later has %d places, want %d", got, row.later)
			}
		})
	}
}

func TestNamespacesTakeTurns(t *testing.T) {
	q := newQueue(100, false)
	for _, namespace := range strings.Split("a a a b c b a", " ") {
		if err := q.offer(reportOf(namespace)); err != nil {
			t.Fatal(err)
		}
	}
	q.close()
	var got []string
	for r := q.take(); r != nil; r = q.take() {
		got = append(got, r.project.owner)
		q.done(r)
	}
	if text := strings.Join(got, " "); text != "a b c a b a a" {
		t.Errorf("taken: %s", text)
	}
	if len(q.ready) != 0 || q.count != 0 {
		t.Errorf("%d namespaces and %d reports are left", len(q.ready), q.count)
	}
}

func TestOneReportOfANamespaceIsOutAtATime(t *testing.T) {
	q := newQueue(100, true)
	for _, namespace := range strings.Split("a a b b", " ") {
		if err := q.offer(reportOf(namespace)); err != nil {
			t.Fatal(err)
		}
	}
	first, second := q.take(), q.take()
	if first.project.owner != "a" || second.project.owner != "b" {
		t.Errorf("taken: %s %s", first.project.owner, second.project.owner)
	}
	q.done(second)
	if third := q.take(); third.project.owner != "b" {
		t.Errorf("a second report of %s is out", third.project.owner)
	}
}
