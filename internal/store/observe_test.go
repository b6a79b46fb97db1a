package store_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/hook"
)

// unobserved are the methods that call no hooks.
var unobserved = []string{"Name", "Watch", "Close", "AppendLog", "AwaitLog", "ReadLog", "Publish", "Subscribe", "TakeCalls", "TakeCallbacks", "RenewCalls", "AddUsage", "TakeTokens"}

func TestEveryOperationOfAStoreIsObserved(t *testing.T) {
	var operations []string
	for method := range reflect.TypeFor[store.Store]().Methods() {
		var seen []hook.Operation
		s := store.Observe(nowhere{}, func(ctx context.Context, op hook.Operation) (context.Context, func(error)) {
			seen = append(seen, op)
			return ctx, func(error) {}
		})
		call(reflect.ValueOf(s).MethodByName(method.Name))
		if slices.Contains(unobserved, method.Name) {
			if len(seen) > 0 {
				t.Errorf("%s calls hooks", method.Name)
			}
			continue
		}
		if len(seen) != 1 {
			t.Fatalf("%s is observed %d times", method.Name, len(seen))
		}
		if slices.Contains(operations, seen[0].Name) {
			t.Errorf("%s and another method are both %q", method.Name, seen[0].Name)
		}
		operations = append(operations, seen[0].Name)
	}
}

func TestOperationsSayWhatTheyDo(t *testing.T) {
	ref := function.Ref{Namespace: "ns", ID: "id"}
	ofFunction, ofNamespace := function.Change{Ref: ref}, function.Change{Namespace: "ns"}
	for _, row := range []struct {
		do   func(ctx context.Context, s store.Store)
		want hook.Operation
	}{
		{func(ctx context.Context, s store.Store) { _ = s.Ping(ctx) }, hook.Operation{Name: "ping"}},
		{func(ctx context.Context, s store.Store) { _, _ = s.Get(ctx, ref) }, hook.Operation{Name: "get"}},
		{func(ctx context.Context, s store.Store) { _, _ = s.Source(ctx, ref) }, hook.Operation{Name: "source"}},
		{func(ctx context.Context, s store.Store) { _, _ = s.Revision(ctx, ref) }, hook.Operation{Name: "version"}},
		{func(ctx context.Context, s store.Store) { _, _ = s.List(ctx, function.Query{}) }, hook.Operation{Name: "list"}},
		{
			func(ctx context.Context, s store.Store) { _, _ = s.Put(ctx, &function.Function{Ref: ref}) },
			hook.Operation{Name: "put", Kind: hook.Write, Change: ofFunction},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.Delete(ctx, ref) },
			hook.Operation{Name: "delete", Kind: hook.Delete, Change: ofFunction},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.SetEnv(ctx, ref, "A", "1") },
			hook.Operation{Name: "set env", Kind: hook.Write, Change: ofFunction},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.UnsetEnv(ctx, ref, "A") },
			hook.Operation{Name: "unset env", Kind: hook.Write, Change: ofFunction},
		},
		{
			func(ctx context.Context, s store.Store) { _, _ = s.GetNamespace(ctx, "ns") },
			hook.Operation{Name: "get namespace"},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.PutNamespace(ctx, &function.Namespace{Name: "ns"}) },
			hook.Operation{Name: "put namespace", Kind: hook.Write, Change: ofNamespace},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.DeleteNamespace(ctx, "ns") },
			hook.Operation{Name: "delete namespace", Kind: hook.Delete, Change: ofNamespace},
		},
		{func(ctx context.Context, s store.Store) { _, _ = s.Routes(ctx) }, hook.Operation{Name: "routes"}},
		{
			func(ctx context.Context, s store.Store) { _ = s.PutRoute(ctx, function.Route{Name: "r"}) },
			hook.Operation{Name: "put route", Kind: hook.Write, Change: function.Change{Routes: true}},
		},
		{
			func(ctx context.Context, s store.Store) { _ = s.DeleteRoute(ctx, "r") },
			hook.Operation{Name: "delete route", Kind: hook.Delete, Change: function.Change{Routes: true}},
		},
	} {
		var got hook.Operation
		s := store.Observe(nowhere{}, func(ctx context.Context, op hook.Operation) (context.Context, func(error)) {
			got = op
			return ctx, func(error) {}
		})
		func() {
			defer func() { _ = recover() }() // there is no store behind it
			row.do(t.Context(), s)
		}()
		if got != row.want {
			t.Errorf("got %+v, want %+v", got, row.want)
		}
	}
}

// nowhere is a store without one behind it.
type nowhere struct{ store.Store }

// call calls method with pointers to zero values and other zero values. There is no store to take them.
func call(method reflect.Value) {
	defer func() { _ = recover() }()
	args := make([]reflect.Value, method.Type().NumIn())
	for i := range args {
		kind := method.Type().In(i)
		switch {
		case kind == reflect.TypeFor[context.Context]():
			args[i] = reflect.ValueOf(context.Background())
		case kind.Kind() == reflect.Pointer:
			args[i] = reflect.New(kind.Elem())
		default:
			args[i] = reflect.Zero(kind)
		}
	}
	method.Call(args)
}
