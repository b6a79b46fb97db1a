package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// joined adds a follower that is not expected to be refused.
func joined(t *testing.T, f *followers, namespace, client string) context.Context {
	t.Helper()
	ctx, _, err := f.join(t.Context(), namespace, client)
	if err != nil {
		t.Fatalf("%s of %s: %v", client, namespace, err)
	}
	return ctx
}

func TestPlacesOfFollowersAreShared(t *testing.T) {
	for name, row := range map[string]struct {
		// holder is who holds the i-th of 8 places, comer is who comes then, again and again.
		holder   func(i int) (namespace, client string)
		comer    [2]string
		admitted int
	}{
		"one client and namespace holds all": {
			func(int) (string, string) { return "greedy", "1" },
			[2]string{"other", "2"},
			4,
		},
		"one client follows many namespaces": {
			func(i int) (string, string) { return fmt.Sprint(i), "1" },
			[2]string{"other", "2"},
			4,
		},
		"many clients follow one namespace": {
			func(i int) (string, string) { return "greedy", fmt.Sprint(i) },
			[2]string{"other", "new"},
			4,
		},
		"all come through one proxy": {
			func(int) (string, string) { return "greedy", "proxy" },
			[2]string{"other", "proxy"},
			4,
		},
		"each has one": {
			func(i int) (string, string) { return fmt.Sprint(i), fmt.Sprint("c", i) },
			[2]string{"other", "new"},
			0,
		},
		"the same once more": {
			func(int) (string, string) { return "greedy", "1" },
			[2]string{"greedy", "1"},
			0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &followers{most: 8}
			var held []context.Context
			for i := range f.most {
				namespace, client := row.holder(i)
				held = append(held, joined(t, f, namespace, client))
			}
			admitted := 0
			for range 3 * f.most {
				if _, _, err := f.join(t.Context(), row.comer[0], row.comer[1]); err == nil {
					admitted++
				} else if !errors.Is(err, errFollowers) {
					t.Fatal(err)
				}
			}
			ended := 0
			for _, ctx := range held {
				if ctx.Err() != nil {
					ended++
					if !errors.Is(context.Cause(ctx), errOutnumbered) {
						t.Errorf("ended by %v", context.Cause(ctx))
					}
				}
			}
			if admitted != row.admitted || ended != row.admitted || len(f.all) != f.most {
				t.Errorf("%d were admitted, %d gave way, want %d; %d places", admitted, ended, row.admitted, len(f.all))
			}
		})
	}
}

func TestAPlaceIsGivenUpOnce(t *testing.T) {
	f := &followers{most: 2}
	_, leave, err := f.join(t.Context(), "a", "1")
	if err != nil {
		t.Fatal(err)
	}
	joined(t, f, "a", "1")
	leave()
	leave()
	joined(t, f, "a", "1")
	if _, _, err := f.join(t.Context(), "a", "1"); !errors.Is(err, errFollowers) {
		t.Errorf("a third one: %v", err)
	}
}

// everyones is the output of any function, all of them silent.
type everyones struct{ *fakeLogs }

func (everyones) Revision(context.Context, function.Ref) (string, error) { return "1", nil }

func TestAFollowerThatGivesWayIsTold(t *testing.T) {
	logs := everyones{&fakeLogs{}}
	url := serve(t, Options{Logs: logs, MaxFollowers: 2})
	greedy := startFollowing(t, url+"/functions/ns/id/logs?follow=1")
	second := startFollowing(t, url+"/functions/ns/id/logs?follow=1")
	greedy.want(t, nothingNew)
	second.want(t, nothingNew)
	other := startFollowing(t, url+"/functions/other/id/logs?follow=1")
	if other.StatusCode != 200 {
		t.Fatalf("the other namespace is answered %d", other.StatusCode)
	}
	second.want(t, "event: failure\ndata: {\"error\":\"Too many requests follow the output of functions: this one made room for another\"}\n\n")
	second.want(t, "")
}

func TestClientsAndOwnersAreThoseThatTheServerKnows(t *testing.T) {
	byQuery := func(r *http.Request) string { return r.URL.Query().Get("client") }
	byLetter := func(namespace string) string { return namespace[:1] }
	logs := everyones{&fakeLogs{}}
	for name, row := range map[string]struct {
		o              Options
		first, another string
	}{
		"clients of one address":  {Options{Client: byQuery}, "/functions/ns/id/logs?follow=1&client=a", "/functions/ns/id/logs?follow=1&client=b"},
		"namespaces of one owner": {Options{Owner: byLetter}, "/functions/a%d/id/logs?follow=1", "/functions/b/id/logs?follow=1"},
	} {
		t.Run(name, func(t *testing.T) {
			row.o.Logs, row.o.MaxFollowers = logs, 2
			url := serve(t, row.o)
			var greedy [2]*follower
			for i := range greedy {
				greedy[i] = startFollowing(t, url+strings.Replace(row.first, "%d", fmt.Sprint(i), 1))
				greedy[i].want(t, nothingNew)
			}
			if other := startFollowing(t, url+row.another); other.StatusCode != http.StatusOK {
				t.Fatalf("the other one is answered %d", other.StatusCode)
			}
			greedy[1].want(t, "event: failure\ndata: {\"error\":\"Too many requests follow the output of functions: this one made room for another\"}\n\n")
		})
	}
}
