package metrics

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/hook"
)

func TestStoreOperationsAreCounted(t *testing.T) {
	m := New()
	for _, err := range []error{
		nil, &function.EnvLimitError{}, &function.NotFoundError{}, fmt.Errorf("x: %w", function.ErrEnvNotFound), function.ErrNamespaceNotFound, context.Canceled,
		function.ErrUnavailable, context.DeadlineExceeded, errors.New("broken"),
	} {
		_, end := m.Store(t.Context(), hook.Operation{Name: "get"})
		end(err)
	}
	_, end := m.Store(t.Context(), hook.Operation{Name: "put", Kind: hook.Write})
	end(nil)
	expectLines(
		t, scrape(t, m),
		`functions_store_operation_seconds_count{operation="get"} 9`,
		`functions_store_operation_errors_total{operation="get"} 3`,
		`functions_store_operation_seconds_count{operation="put"} 1`,
		`functions_store_operation_errors_total{operation="put"} 0`,
	)
}

func TestTheStoresStateIsThatOfItsLastOperation(t *testing.T) {
	m := New()
	m.WatchDisk(func() (int64, int64) { return 7, 8 })
	expectLines(t, scrape(t, m), `functions_store_up 1`, `functions_store_full 0`, `functions_store_file_bytes 7`, `functions_store_free_bytes 8`)
	get, put := hook.Operation{Name: "get"}, hook.Operation{Name: "put", Kind: hook.Write}
	setEnv := hook.Operation{Name: "set env", Kind: hook.Write}
	full := fmt.Errorf("x: %w: %w", function.ErrFull, function.ErrUnavailable)
	for _, step := range []struct {
		operation hook.Operation
		err       error
		up, full  int
	}{
		{hook.Operation{Name: "ping"}, function.ErrUnavailable, 0, 0},
		{get, context.Canceled, 0, 0},
		{get, errors.New("broken"), 0, 0},
		{get, function.ErrNotFound, 1, 0},
		{hook.Operation{Name: "version"}, context.DeadlineExceeded, 0, 0},
		{put, full, 1, 1},
		{get, nil, 1, 1},
		{put, function.ErrUnavailable, 0, 1},
		{setEnv, nil, 1, 0},
	} {
		_, end := m.Store(t.Context(), step.operation)
		end(step.err)
		expectLines(t, scrape(t, m), fmt.Sprintf("functions_store_up %d", step.up), fmt.Sprintf("functions_store_full %d", step.full))
		if m.StoreFull() != (step.full == 1) {
			t.Errorf("%+v, %v: full is %v", step.operation, step.err, m.StoreFull())
		}
	}
}

func TestCacheIsObserved(t *testing.T) {
	m := New()
	stats := invoke.CacheStats{Hits: 1, Stale: 2, Misses: 3, Evictions: 4, Functions: 5, Bytes: 6, LimitBytes: 7}
	m.WatchCache(func() invoke.CacheStats { return stats })
	expectLines(
		t, scrape(t, m),
		`functions_cache_lookups_total{result="hit"} 1`,
		`functions_cache_lookups_total{result="stale"} 2`,
		`functions_cache_lookups_total{result="miss"} 3`,
		`functions_cache_evictions_total 4`,
		`functions_cache_functions 5`,
		`functions_cache_bytes 6`,
		`functions_cache_limit_bytes 7`,
	)
}

func TestRequestsAreCountedByRouteAndStatus(t *testing.T) {
	m := New()
	m.Served(t.Context(), "/functions", 200, 3*time.Millisecond)
	m.Served(t.Context(), "/functions", 204, 4*time.Millisecond)
	m.Served(t.Context(), "/functions", 404, time.Millisecond)
	m.Served(t.Context(), "", 404, time.Millisecond)
	m.Served(t.Context(), "/functions", 0, time.Millisecond)
	expectLines(
		t, scrape(t, m),
		`functions_http_request_seconds_sum{route="/functions",status="2xx"} 0.007`,
		`functions_http_request_seconds_count{route="/functions",status="2xx"} 2`,
		`functions_http_request_seconds_count{route="/functions",status="4xx"} 1`,
		`functions_http_request_seconds_count{route="/functions",status="5xx"} 1`,
		`functions_http_request_seconds_count{route="none",status="4xx"} 1`,
	)
}
