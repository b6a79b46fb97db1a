package main

import (
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// onEveryStore runs test with the variable that chooses a store, for each store.
func onEveryStore(t *testing.T, test func(t *testing.T, storage string)) {
	t.Helper()
	for name, storage := range map[string]string{
		"embedded": "STORAGE=embedded", "memory": "STORAGE=inmemory",
		"redis": "REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr,
	} {
		t.Run(name, func(t *testing.T) { test(t, storage) })
	}
}
