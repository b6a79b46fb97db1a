package sentry

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// hosts is a transport: the host "hole" never answers, "gone" with 404, "slow" when it is let go, all others at once.
// It notes which requests came to which host, in order.
type hosts struct {
	slow chan struct{}

	mu    sync.Mutex // guards asked
	asked []string   // "host namespace"
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	namespace := "evil"
	if strings.Contains(string(text), "victim/") {
		namespace = "victim"
	}
	h.mu.Lock()
	h.asked = append(h.asked, r.URL.Hostname()+" "+namespace)
	h.mu.Unlock()
	answer := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}
	switch r.URL.Hostname() {
	case "hole":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "gone":
		answer.StatusCode = http.StatusNotFound
	case "slow":
		select {
		case <-h.slow:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return answer, nil
}

func (h *hosts) count(asked string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count := 0
	for _, one := range h.asked {
		if one == asked {
			count++
		}
	}
	return count
}

func newHosts(t *testing.T, server string) (*hosts, *Reporter) {
	h := &hosts{slow: make(chan struct{})}
	return h, newReporter(t, Options{DSN: server, Transport: h})
}

// fail reports a failure in namespace, whose project is dsn.
func fail(r *Reporter, namespace, dsn string) { failOf(r, "", namespace, dsn) }

// failOf is fail for a namespace of an owner.
func failOf(r *Reporter, owner, namespace, dsn string) {
	f := failure(dsn, "")
	f.Call.Ref.Namespace, f.Function.Ref.Namespace, f.Call.Owner = namespace, namespace, owner
	r.Report(f)
}

func TestNamespacesOfOneOwnerShareItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newHosts(t, "http://key@server/1")
		for i := range 1000 {
			failOf(r, "evil", fmt.Sprintf("evil-%d", i), fmt.Sprintf("http://key@hole/%d", i+1))
		}
		synctest.Wait()
		failOf(r, "other", "victim", "http://key@good/1")
		synctest.Wait() // no time passes
		if h.count("server victim") != 1 || h.count("good victim") != 1 {
			t.Errorf("the server's project got %d reports, the victim's %d", h.count("server victim"), h.count("good victim"))
		}
	})
}

func TestProjectsThatNeverAnswerSilenceNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newHosts(t, "http://key@server/1")
		for i := range 1000 {
			fail(r, "evil", fmt.Sprintf("http://key@hole/%d", i+1))
		}
		synctest.Wait()
		fail(r, "victim", "http://key@good/1")
		synctest.Wait() // no time passes
		if h.count("server victim") != 1 || h.count("good victim") != 1 {
			t.Errorf("the server's project got %d reports, the victim's %d", h.count("server victim"), h.count("good victim"))
		}
		if got := h.count("hole evil"); got != 1 {
			t.Errorf("%d reports of one namespace are on their way at a time", got)
		}
	})
}

func TestAHostThatDoesNotAnswerIsLeftAloneWithAllItsProjects(t *testing.T) {
	for _, row := range []struct {
		host  string
		asked int // for three projects
	}{{"hole", 1}, {"gone", 3}} {
		t.Run(row.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r := newHosts(t, "")
				for i := range 3 {
					fail(r, "evil", fmt.Sprintf("http://key@%s/%d", row.host, i+1))
				}
				time.Sleep(sendTimeout)
				synctest.Wait()
				if got := h.count(row.host + " evil"); got != row.asked {
					t.Errorf("asked %d times, want %d", got, row.asked)
				}
				time.Sleep(shortBackoff)
				fail(r, "evil", fmt.Sprintf("http://key@%s/4", row.host))
				synctest.Wait()
				if got := h.count(row.host + " evil"); got != row.asked+1 {
					t.Errorf("asked %d times after the backoff, want %d", got, row.asked+1)
				}
			})
		})
	}
}

func TestWhoNamesTheServersHostDoesNotSilenceTheServersProject(t *testing.T) {
	for _, dsn := range []string{"http://key@gone/1", "http://key@gone/2"} {
		synctest.Test(t, func(t *testing.T) {
			_, r := newHosts(t, "http://key@gone/1")
			own := r.ownProject(failure(dsn, ""))
			if !own.trusted || own.server {
				t.Fatalf("the server's host: %+v", own)
			}
			r.sender.backoffs.set(own.key(), longBackoff)
			r.sender.backoffs.set(own.hostKey(), longBackoff)
			server := project{dsn: r.server, namespace: "shop", server: true}
			if !r.sender.accepts(server) {
				t.Error("the server's project is left alone")
			}
		})
	}
}

func TestManyFailuresOfOneNamespaceLeaveOthersTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newHosts(t, "http://key@slow/1")
		for range 1000 {
			fail(r, "evil", "")
		}
		fail(r, "victim", "")
		for range serverSenders { // one answer after the other, so that the senders take the next reports in their order
			h.slow <- struct{}{}
			synctest.Wait()
		}
		if h.count("slow victim") != 1 {
			t.Errorf("after %d answers asked %v", serverSenders, h.asked)
		}
		close(h.slow)
		synctest.Wait()
	})
}
