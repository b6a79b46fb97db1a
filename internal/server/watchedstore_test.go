package server

import (
	"context"
	"reflect"
	"slices"
	"testing"
)

// unwatched are the methods of a store that are no operations of a request. Output that is kept and read has metrics of its own.
var unwatched = []string{"Name", "Watch", "Close", "AppendLog", "AwaitLog", "ReadLog"}

func TestEveryOperationOfAStoreIsWatched(t *testing.T) {
	kind := reflect.TypeFor[store]()
	for method := range kind.Methods() {
		var operation string
		s := &watchedStore{nowhere{}, func(ctx context.Context, name string) (context.Context, func(error)) {
			operation = name
			return ctx, func(error) {}
		}}
		call(reflect.ValueOf(s).MethodByName(method.Name))
		if watched := operation != ""; watched == slices.Contains(unwatched, method.Name) {
			t.Errorf("%s is watched: %v", method.Name, watched)
		}
	}
}

// nowhere is a store without one behind it.
type nowhere struct{ store }

// call calls method with arguments that mean nothing; there is no store to take them.
func call(method reflect.Value) {
	defer func() { _ = recover() }()
	args := make([]reflect.Value, method.Type().NumIn())
	for i := range args {
		args[i] = reflect.Zero(method.Type().In(i))
		if method.Type().In(i) == reflect.TypeFor[context.Context]() {
			args[i] = reflect.ValueOf(context.Background())
		}
	}
	method.Call(args)
}
