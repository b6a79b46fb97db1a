package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/usage"
)

// wide are limits that no test meets.
var wide = queue.Limits{Calls: 1 << 20, Bytes: 1 << 40}

// callerLimits are those of the key of specs.
var callerLimits = usage.Limits{
	Rate: usage.Rate{Calls: 5, Per: time.Minute}, Quotas: usage.Quotas{Calls: 7, CPU: time.Hour, Egress: 1 << 20},
}

// spec is a new call of the function id in that namespace.
func spec(namespace string) *queue.Spec {
	return &queue.Spec{
		ID: uuid.Must(uuid.NewV7()).String(), Ref: function.Ref{Namespace: namespace, ID: "id"},
		Caller: "key1", Limits: callerLimits,
		RequestID: "r1", TraceID: "t1", URI: "/functions/é", Payload: []byte("\x00payload\xff"),
		Attempts: 3, Backoff: time.Second, MaxAge: time.Hour, Keep: time.Hour, KeepDead: 2 * time.Hour,
	}
}

func putCall(t *testing.T, s Store, c *queue.Spec) string {
	t.Helper()
	placed, err := s.PutCall(t.Context(), c, wide)
	wantNoError(t, err)
	if placed.ID != c.ID || placed.Existing {
		t.Fatalf("put %s: %+v", c.ID, placed)
	}
	return c.ID
}

// takeCall takes one call, whenever there is one.
func takeCall(t *testing.T, s Store, lease time.Duration) *queue.Call {
	t.Helper()
	return takeOne(t, s.TakeCalls, "one", lease)
}

// takes is Store.TakeCalls or Store.TakeCallbacks.
type takes = func(ctx context.Context, server string, most int, lease time.Duration) (
	taken []*queue.Call, next time.Duration, err error,
)

// takeOne takes one, whenever there is one, for that server.
func takeOne(t *testing.T, from takes, server string, lease time.Duration) *queue.Call {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		taken, _, err := from(t.Context(), server, 1, lease)
		wantNoError(t, err)
		if len(taken) == 1 {
			return taken[0]
		}
		if time.Now().After(deadline) {
			t.Fatal("there is nothing to take")
		}
	}
}

func wantNoCall(t *testing.T, s Store) {
	t.Helper()
	wantNone(t, s.TakeCalls, "one")
}

func wantNone(t *testing.T, from takes, server string) {
	t.Helper()
	if taken, _, err := from(t.Context(), server, 9, time.Hour); err != nil || len(taken) != 0 {
		t.Fatalf("took %d, %v; want none", len(taken), err)
	}
}

func settleCall(t *testing.T, s Store, c *queue.Call, how queue.Settlement, want queue.Status) {
	t.Helper()
	settleBy(t, s.SettleCall, c, how, want)
}

// settleBy settles by Store.SettleCall or Store.SettleCallback.
func settleBy(
	t *testing.T, settle func(context.Context, *queue.Settlement) (queue.Status, error), c *queue.Call,
	how queue.Settlement, want queue.Status,
) {
	t.Helper()
	how.Lease = queue.LeaseOf(c)
	if status, err := settle(t.Context(), &how); err != nil || status != want {
		t.Fatalf("settle %s: %q, %v; want %q", how.Outcome, status, err, want)
	}
}

func getCall(t *testing.T, s Store, ref function.Ref, id string) *queue.Call {
	t.Helper()
	c, err := s.GetCall(t.Context(), ref, id)
	if err != nil {
		t.Fatalf("get call %s: %v", id, err)
	}
	return c
}
