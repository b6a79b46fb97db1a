package storetest

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/usage"
)

// lifecycleTests are of what a store does apart from what it keeps.
var lifecycleTests = table{
	"WatchSeesEveryWrite":      testWatchSeesEveryWrite,
	"WatchEndsWithItsContext":  testWatchEndsWithItsContext,
	"EndedContext":             testEndedContext,
	"ClosedStoreIsUnavailable": testClosedStoreIsUnavailable,
}

// alwaysWork are the methods that need no store behind them.
var alwaysWork = []string{"Name", "Watch", "Subscribe", "Close"}

// everyCall has the error of each method that talks to the store, called with ctx.
func everyCall(ctx context.Context, t *testing.T, s Store) map[string]error {
	t.Helper()
	calls := map[string]error{
		"Ping":            s.Ping(ctx),
		"Delete":          s.Delete(ctx, ref),
		"SetEnv":          s.SetEnv(ctx, ref, "A", "1"),
		"UnsetEnv":        s.UnsetEnv(ctx, ref, "A"),
		"PutNamespace":    s.PutNamespace(ctx, &function.Namespace{Name: "ns"}),
		"DeleteNamespace": s.DeleteNamespace(ctx, "ns"),
		"PutRoute":        s.PutRoute(ctx, route("r", "", "/")),
		"DeleteRoute":     s.DeleteRoute(ctx, "r"),
		"PutKey":          s.PutKey(ctx, key("k")),
		"DeleteKey":       s.DeleteKey(ctx, "k"),
		"PutModule":       s.PutModule(ctx, module("ns", "m", "1")),
		"DeleteModule":    s.DeleteModule(ctx, function.ModuleRef{Namespace: "ns", Name: "m"}),
		"AddPublic":       s.AddPublic(ctx, open(ref)),
		"RemovePublic":    s.RemovePublic(ctx, ref),
		"AppendAudit":     s.AppendAudit(ctx, []audit.Record{record("a", "PUT /x")}, keepAudit),
		"PutSecret":       s.PutSecret(ctx, secret("ns", "", "S", "1"), nil),
		"DeleteSecret":    s.DeleteSecret(ctx, secret("ns", "", "S", "1").SecretRef),
		"DeleteSecrets":   s.DeleteSecrets(ctx, function.SecretScope{Namespace: "ns"}),
	}
	_, calls["PutCall"] = s.PutCall(ctx, spec("ns"), wide)
	_, _, calls["TakeCalls"] = s.TakeCalls(ctx, "one", 1, time.Hour)
	lease := queue.Lease{Ref: ref, ID: "1", Take: 1}
	_, calls["RenewCalls"] = s.RenewCalls(ctx, []queue.Renewal{{Lease: lease}}, time.Hour)
	_, calls["SettleCall"] = s.SettleCall(ctx, &queue.Settlement{Lease: lease})
	calls["CancelCall"], calls["RedriveCall"] = s.CancelCall(ctx, ref, "1"), s.RedriveCall(ctx, ref, "1")
	_, calls["GetCall"] = s.GetCall(ctx, ref, "1")
	_, calls["CallResult"] = s.CallResult(ctx, ref, "1")
	_, calls["ListCalls"] = s.ListCalls(ctx, &queue.Query{Ref: ref, Limit: 1})
	_, calls["CallStats"] = s.CallStats(ctx)
	held := hold("ns", "k")
	_, calls["HoldKey"] = s.HoldKey(ctx, held, wide)
	calls["RenewKey"], calls["FreeKey"] = s.RenewKey(ctx, holdOf(held), time.Hour), s.FreeKey(ctx, holdOf(held))
	_, calls["AnswerKey"] = s.AnswerKey(ctx, holdOf(held), []byte("1"), wide)
	calls["ForgetKey"] = s.ForgetKey(ctx, ref, "k")
	_, calls["KeyAnswer"] = s.KeyAnswer(ctx, holdOf(held))
	_, _, calls["TakeCallbacks"] = s.TakeCallbacks(ctx, "one", 1, time.Hour)
	_, calls["SettleCallback"] = s.SettleCallback(ctx, &queue.Settlement{Lease: lease})
	calls["RedriveCallback"] = s.RedriveCallback(ctx, ref, "1")
	_, calls["GetCallback"] = s.GetCallback(ctx, ref, "1")
	_, calls["CallbackStats"] = s.CallbackStats(ctx)
	_, calls["Get"] = s.Get(ctx, ref)
	_, calls["Publish"] = s.Publish(ctx, "ONE", []byte("1"))
	_, calls["Routes"] = s.Routes(ctx)
	_, calls["Source"] = s.Source(ctx, ref)
	_, calls["Modules"] = s.Modules(ctx, "ns")
	_, calls["Module"] = s.Module(ctx, function.ModuleRef{Namespace: "ns", Name: "m"})
	_, calls["Keys"] = s.Keys(ctx)
	_, calls["Key"] = s.Key(ctx, "A")
	_, calls["Route"] = s.Route(ctx, "r")
	_, calls["LimitsOf"] = s.LimitsOf(ctx, "ns")
	calls["PutNamespaceLimits"] = s.PutNamespaceLimits(ctx, usage.Namespace{Name: "ns"})
	calls["DeleteNamespaceLimits"] = s.DeleteNamespaceLimits(ctx, "ns")
	_, calls["AddUsage"] = s.AddUsage(ctx, usage.Batch{Server: "s", Number: 1})
	_, calls["Usage"] = s.Usage(ctx, shop, hour, hour.Add(time.Hour))
	_, calls["TakeTokens"] = s.TakeTokens(ctx, []usage.Take{{Subject: shop, Rate: slow, Want: 1}})
	_, calls["NamespaceLimits"] = s.NamespaceLimits(ctx)
	_, calls["NamespaceNames"] = s.NamespaceNames(ctx)
	_, calls["Secrets"] = s.Secrets(ctx, function.SecretScope{Namespace: "ns"})
	_, calls["SecretScopes"] = s.SecretScopes(ctx)
	_, calls["Public"] = s.Public(ctx)
	calls["AppendKept"] = s.AppendKept(ctx, []*queue.Kept{keptCall(ref, "r")}, wideKept)
	_, calls["GetKept"] = s.GetKept(ctx, ref, "r")
	_, calls["ListKept"] = s.ListKept(ctx, &queue.Query{Ref: ref, Limit: 1})
	_, calls["Audit"] = s.Audit(ctx, audit.Query{Limit: 1})
	_, calls["Revision"] = s.Revision(ctx, ref)
	_, calls["Put"] = s.Put(ctx, &function.Function{Ref: ref, Code: "2"})
	_, calls["List"] = s.List(ctx, function.Query{Page: 1, PerPage: 1})
	_, calls["search"] = s.List(ctx, function.Query{Namespace: "ns", Page: 1, PerPage: 1})
	_, calls["AppendLog"] = s.AppendLog(ctx, []function.LogLine{{Ref: ref, Text: "1"}}, keepMany)
	_, calls["ReadLog"] = s.ReadLog(ctx, ref, function.LogQuery{Limit: 1})
	_, calls["AwaitLog"] = s.AwaitLog(ctx, ref, function.LogCursor{}, 1, time.Hour)
	_, calls["GetNamespace"] = s.GetNamespace(ctx, "ns")
	for method := range reflect.TypeFor[Store]().Methods() {
		if _, called := calls[method.Name]; !called && !slices.Contains(alwaysWork, method.Name) {
			t.Errorf("everyCall does not call %s", method.Name)
		}
	}
	return calls
}

func testEndedContext(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	before := get(t, s, ref)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range everyCall(ctx, t, s) {
		t.Run(name, func(t *testing.T) { wantError(t, err, context.Canceled) })
	}
	if after := get(t, s, ref); after.VersionID != before.VersionID || after.Settings != nil {
		t.Error("a call with an ended context changed the function")
	}
}

func testClosedStoreIsUnavailable(t *testing.T, s Store) {
	wantNoError(t, s.Ping(t.Context()))
	if s.Name() == "" {
		t.Error("the store has no name")
	}
	put(t, s, ref, "1", nil)
	wantNoError(t, s.Close())
	WantUnavailable(t, s)
}

// WantUnavailable fails the test unless every method of s reports function.ErrUnavailable.
func WantUnavailable(t *testing.T, s Store) {
	t.Helper()
	for name, err := range everyCall(t.Context(), t, s) {
		t.Run(name, func(t *testing.T) { wantError(t, err, function.ErrUnavailable) })
	}
}
