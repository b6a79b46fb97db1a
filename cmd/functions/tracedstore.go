package main

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/trace"
)

// tracedStore is a store with a span around each operation.
type tracedStore struct {
	store
	tracer *trace.Tracer
}

// traced does f in a span named by operation.
func traced[T any](ctx context.Context, s *tracedStore, operation string, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, end := s.tracer.Store(ctx, operation)
	result, err := f(ctx)
	end(err)
	return result, err
}

// only is f for traced.
func only(f func(ctx context.Context) error) func(ctx context.Context) (struct{}, error) {
	return func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) }
}

func (s *tracedStore) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	return traced(ctx, s, "get", func(ctx context.Context) (*function.Function, error) { return s.store.Get(ctx, ref) })
}

func (s *tracedStore) Version(ctx context.Context, ref function.Ref) (string, error) {
	return traced(ctx, s, "version", func(ctx context.Context) (string, error) { return s.store.Version(ctx, ref) })
}

func (s *tracedStore) Put(ctx context.Context, f *function.Function) (*function.Function, error) {
	return traced(ctx, s, "put", func(ctx context.Context) (*function.Function, error) { return s.store.Put(ctx, f) })
}

func (s *tracedStore) Delete(ctx context.Context, ref function.Ref) error {
	_, err := traced(ctx, s, "delete", only(func(ctx context.Context) error { return s.store.Delete(ctx, ref) }))
	return err
}

func (s *tracedStore) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	_, err := traced(ctx, s, "set env", only(func(ctx context.Context) error { return s.store.SetEnv(ctx, ref, name, value) }))
	return err
}

func (s *tracedStore) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	_, err := traced(ctx, s, "unset env", only(func(ctx context.Context) error { return s.store.UnsetEnv(ctx, ref, name) }))
	return err
}

func (s *tracedStore) List(ctx context.Context, q function.Query) (*function.Page, error) {
	return traced(ctx, s, "list", func(ctx context.Context) (*function.Page, error) { return s.store.List(ctx, q) })
}

func (s *tracedStore) GetNamespace(ctx context.Context, name string) (*function.Namespace, error) {
	return traced(ctx, s, "get namespace", func(ctx context.Context) (*function.Namespace, error) { return s.store.GetNamespace(ctx, name) })
}

func (s *tracedStore) PutNamespace(ctx context.Context, n *function.Namespace) error {
	_, err := traced(ctx, s, "put namespace", only(func(ctx context.Context) error { return s.store.PutNamespace(ctx, n) }))
	return err
}

func (s *tracedStore) DeleteNamespace(ctx context.Context, name string) error {
	_, err := traced(ctx, s, "delete namespace", only(func(ctx context.Context) error { return s.store.DeleteNamespace(ctx, name) }))
	return err
}
