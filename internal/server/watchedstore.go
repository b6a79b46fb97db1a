package server

import (
	"context"

	"github.com/backstage/functions/internal/function"
)

// watcher is told of the beginning of an operation, such as "get", and of its end.
type watcher func(ctx context.Context, operation string) (_ context.Context, end func(err error))

// watchedStore is a store that tells of each operation.
type watchedStore struct {
	store
	watch watcher
}

// watched does f as operation.
func watched[T any](ctx context.Context, s *watchedStore, operation string, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, end := s.watch(ctx, operation)
	result, err := f(ctx)
	end(err)
	return result, err
}

// only is f for watched.
func only(f func(ctx context.Context) error) func(ctx context.Context) (struct{}, error) {
	return func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) }
}

func (s *watchedStore) Ping(ctx context.Context) error {
	_, err := watched(ctx, s, "ping", only(s.store.Ping))
	return err
}

func (s *watchedStore) Get(ctx context.Context, ref function.Ref) (*function.Function, error) {
	return watched(ctx, s, "get", func(ctx context.Context) (*function.Function, error) { return s.store.Get(ctx, ref) })
}

func (s *watchedStore) Version(ctx context.Context, ref function.Ref) (string, error) {
	return watched(ctx, s, "version", func(ctx context.Context) (string, error) { return s.store.Version(ctx, ref) })
}

func (s *watchedStore) Put(ctx context.Context, f *function.Function) (*function.Function, error) {
	return watched(ctx, s, "put", func(ctx context.Context) (*function.Function, error) { return s.store.Put(ctx, f) })
}

func (s *watchedStore) Delete(ctx context.Context, ref function.Ref) error {
	_, err := watched(ctx, s, "delete", only(func(ctx context.Context) error { return s.store.Delete(ctx, ref) }))
	return err
}

func (s *watchedStore) SetEnv(ctx context.Context, ref function.Ref, name, value string) error {
	_, err := watched(ctx, s, "set env", only(func(ctx context.Context) error { return s.store.SetEnv(ctx, ref, name, value) }))
	return err
}

func (s *watchedStore) UnsetEnv(ctx context.Context, ref function.Ref, name string) error {
	_, err := watched(ctx, s, "unset env", only(func(ctx context.Context) error { return s.store.UnsetEnv(ctx, ref, name) }))
	return err
}

func (s *watchedStore) List(ctx context.Context, q function.Query) (*function.Page, error) {
	return watched(ctx, s, "list", func(ctx context.Context) (*function.Page, error) { return s.store.List(ctx, q) })
}

func (s *watchedStore) GetNamespace(ctx context.Context, name string) (*function.Namespace, error) {
	return watched(ctx, s, "get namespace", func(ctx context.Context) (*function.Namespace, error) { return s.store.GetNamespace(ctx, name) })
}

func (s *watchedStore) PutNamespace(ctx context.Context, n *function.Namespace) error {
	_, err := watched(ctx, s, "put namespace", only(func(ctx context.Context) error { return s.store.PutNamespace(ctx, n) }))
	return err
}

func (s *watchedStore) DeleteNamespace(ctx context.Context, name string) error {
	_, err := watched(ctx, s, "delete namespace", only(func(ctx context.Context) error { return s.store.DeleteNamespace(ctx, name) }))
	return err
}
