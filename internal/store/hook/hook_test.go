package hook_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

type key struct{}

func TestHooksSeeTheBeginningAndTheEndOfAnOperation(t *testing.T) {
	var seen []string
	fault := errors.New("broken")
	named := func(name string) hook.Func {
		return func(ctx context.Context, op hook.Operation) (context.Context, func(error)) {
			seen = append(seen, name+" begins "+op.Name)
			path, _ := ctx.Value(key{}).(string)
			return context.WithValue(ctx, key{}, path+name), func(err error) { seen = append(seen, name+" ends: "+err.Error()) }
		}
	}
	guarded := hook.Guard("the store", named("outer"), named("inner"))
	err := guarded.Do(t.Context(), hook.Operation{Name: "get"}, func(ctx context.Context, store string) error {
		seen = append(seen, store+" in "+ctx.Value(key{}).(string))
		return fault
	})
	if !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	want := []string{
		"outer begins get", "inner begins get", "the store in outerinner", "inner ends: broken", "outer ends: broken",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}

func TestAChangeIsToldBeforeTheResultAndAlsoAfterAnError(t *testing.T) {
	var told []function.Change
	guarded := hook.Guard(0, hook.OnChange(func(c function.Change) { told = append(told, c) }))
	change := function.Change{Namespace: "ns"}
	for _, err := range []error{nil, errors.New("broken")} {
		told = nil
		_ = guarded.Do(t.Context(), hook.Operation{Kind: hook.Write, Change: change}, func(context.Context, int) error {
			if len(told) > 0 {
				t.Error("told of a change that was not made yet")
			}
			return err
		})
		if !slices.Equal(told, []function.Change{change}) {
			t.Errorf("after %v: told of %v", err, told)
		}
	}
	told = nil
	if _, err := hook.Value(t.Context(), guarded, hook.Operation{Name: "get"}, func(context.Context, int) (int, error) { return 0, nil }); err != nil {
		t.Fatal(err)
	}
	if len(told) > 0 {
		t.Errorf("an operation that changes nothing: told of %v", told)
	}
}
