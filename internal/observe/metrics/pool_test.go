package metrics

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestPoolIsObserved(t *testing.T) {
	m := New()
	m.WatchPool(func() sandbox.PoolStats {
		return sandbox.PoolStats{Size: 16, Active: 8, Starting: 1, Prewarmed: 2, Idle: 3, Busy: 10, Waiting: 6, Queued: 5, QueueSize: 1000}
	})
	m.WorkerStarted(2 * time.Millisecond)
	m.WorkerStartFailed(context.Canceled)
	m.WorkerDied(sandbox.ReasonDeadline, 3*time.Millisecond)
	m.WorkerDied(sandbox.ReasonIdle, 0)
	m.WorkerDied("unheard of", 0)
	m.WorkerUsed(40 << 20)
	m.ZygoteRestarted()
	for _, outcome := range []sandbox.RollbackOutcome{
		{Audited: true},
		{},
		{Cause: sandbox.RollbackUnproven, Audited: true},
		{Cause: "unheard of"},
		{Cause: "no_park", Killed: true}, // for its room
	} {
		m.WorkerRolledBack("a/b.js", outcome)
	}
	m.RollbackReplaced(sandbox.ReplacedEnds)
	m.RollbackReplaced("unheard of")
	m.RollbackChanged(sandbox.RollbackFallback{})
	m.InvocationDone(sandbox.Stats{Start: sandbox.StartWarm, Queue: time.Millisecond, Run: 3 * time.Millisecond, CPU: time.Millisecond})
	m.InvocationDone(sandbox.Stats{Start: sandbox.StartCold, Run: 5 * time.Millisecond, Load: 2 * time.Millisecond})
	m.InvocationDone(sandbox.Stats{Start: "unheard of"})
	for _, err := range []error{
		fmt.Errorf("queue full: %w", sandbox.ErrBusy), sandbox.ErrClosed,
		&sandbox.BusyError{Cause: sandbox.BusyQueueFull}, &sandbox.BusyError{Cause: sandbox.BusyExpectedWait},
		&invoke.LimitError{Scope: invoke.ScopeFunction}, &invoke.LimitError{Scope: invoke.ScopeNamespace},
		context.Canceled, context.DeadlineExceeded,
	} {
		m.InvocationRefused(err)
	}
	expectLines(
		t, scrape(t, m),
		`functions_pool_workers{state="starting"} 1`,
		`functions_pool_workers{state="prewarmed"} 2`,
		`functions_pool_workers{state="idle"} 3`,
		`functions_pool_workers{state="busy"} 4`,
		`functions_pool_workers{state="waiting"} 6`,
		`functions_pool_size 16`,
		`functions_pool_active_size 8`,
		`functions_queue_length 5`,
		`functions_queue_size 1000`,
		`functions_worker_start_seconds_sum 0.002`,
		`functions_worker_start_failures_total 1`,
		`functions_worker_deaths_total{reason="deadline"} 1`,
		`functions_worker_deaths_total{reason="idle"} 1`,
		`functions_worker_deaths_total{reason="memory_limit"} 0`,
		`functions_worker_deaths_total{reason="server_memory"} 0`,
		`functions_deadline_lag_seconds_count 1`,
		`functions_invocation_starts_total{start="warm"} 1`,
		`functions_invocation_starts_total{start="cold"} 1`,
		`functions_invocation_starts_total{start="prewarmed"} 0`,
		`functions_queue_wait_seconds_sum{start="warm"} 0.001`,
		`functions_queue_wait_seconds_count{start="prewarmed"} 0`,
		`functions_run_seconds_sum{start="cold"} 0.005`,
		`functions_load_seconds_sum 0.002`,
		`functions_load_seconds_count 1`,
		`functions_call_cpu_seconds_sum 0.001`,
		`functions_call_cpu_seconds_count 1`,
		`functions_worker_peak_memory_bytes_bucket{le="3.7748736e+07"} 0`,
		`functions_worker_peak_memory_bytes_sum 4.194304e+07`,
		`functions_zygote_restarts_total 1`,
		`functions_rollback_replaced_total{reason="ends"} 1`,
		`functions_rollback_replaced_total{reason="unsupported"} 0`,
		`functions_rollbacks_total 2`,
		`functions_rollback_audits_total 2`,
		`functions_rollback_failures_total{cause="unproven"} 1`,
		`functions_rollback_failures_total{cause="system_call"} 0`,
		`functions_rollback_failures_total{cause="no_park"} 0`,
		`functions_invocations_refused_total{reason="busy"} 1`,
		`functions_invocations_refused_total{reason="queue_full"} 1`,
		`functions_invocations_refused_total{reason="queue_timeout"} 0`,
		`functions_invocations_refused_total{reason="expected_wait"} 1`,
		`functions_invocations_refused_total{reason="function_limit"} 1`,
		`functions_invocations_refused_total{reason="namespace_limit"} 1`,
		`functions_invocations_refused_total{reason="closed"} 1`,
		`functions_invocations_refused_total{reason="canceled"} 2`,
	)
}
