package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// TestLongAnswersWaitForTheirTurn has more callers ask for long answers than may be read at a time. They wait without a
// connection, everybody else goes on.
func TestLongAnswersWaitForTheirTurn(t *testing.T) {
	s, _ := withRaw(t)
	long := bytes.Repeat([]byte("a"), 1<<20)
	hold := func(key string) *queue.Hold {
		return &queue.Hold{
			Ref: ref, ID: fmt.Sprint(key, time.Now().UnixNano()), Key: key, Print: "p", Lease: time.Hour, For: time.Hour,
		}
	}
	ask := func(ctx context.Context, h *queue.Hold) (string, error) {
		found, err := s.HoldKey(ctx, h, manyCalls)
		return string(found.Answer), err
	}
	for key, answer := range map[string][]byte{"long": long, "short": []byte("b")} {
		h := hold(key)
		_, err := s.HoldKey(t.Context(), h, manyCalls)
		check(t, err)
		_, err = s.AnswerKey(t.Context(), queue.HoldOf{Ref: h.Ref, ID: h.ID}, answer, manyCalls)
		check(t, err)
	}
	for range readsOfAnswers {
		s.reads <- struct{}{}
	}
	const callers = 2 * poolSize
	got := make(chan error, callers)
	for range callers {
		go func() {
			answer, err := ask(t.Context(), hold("long"))
			if err == nil && answer != string(long) {
				err = fmt.Errorf("an answer of %d bytes", len(answer))
			}
			got <- err
		}()
	}
	other := hold("long")
	other.Print = "of another request"
	if answer, err := ask(t.Context(), other); err != nil || answer != "" {
		t.Errorf("another request gets %d bytes, %v", len(answer), err)
	}
	if answer, err := ask(t.Context(), hold("short")); err != nil || answer != "b" {
		t.Errorf("a short answer is %q, %v", answer, err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.readAnswer(gone, ref, "none"); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left gets %v", err)
	}
	select {
	case err := <-got:
		t.Errorf("one is answered while others are read: %v", err)
	default:
	}
	for range readsOfAnswers {
		<-s.reads
	}
	for range callers {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	none := function.Ref{Namespace: "none", ID: "none"}
	if _, err := s.readAnswer(t.Context(), none, "none"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("no answer is %v", err)
	}
}
