package auditlog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/store/mem"
)

// fixture is a Log whose lines and losses are seen.
type fixture struct {
	*Log
	lines               *buffer
	told                *buffer
	unrecorded          atomic.Int64
	lostLines, lostList atomic.Int64
}

// buffer is a bytes.Buffer for many, that fails while err is set.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	err  error
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	return b.text.Write(p)
}

func (b *buffer) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.text.String(), "\n"), "\n")
}

func (b *buffer) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func newFixture(t *testing.T, s Store) *fixture {
	f := &fixture{lines: new(buffer), told: new(buffer)}
	f.Log = New(Options{
		Lines: f.lines, Store: s, Keep: audit.Keep{Records: 10_000, Age: time.Hour}, Recorded: func(audit.Result) {},
		Unrecorded: func() { f.unrecorded.Add(1) }, Logger: slog.New(slog.NewTextHandler(f.told, nil)),
		Lost: func(where string, n int) {
			map[string]*atomic.Int64{LostInLines: &f.lostLines, LostInStore: &f.lostList}[where].Add(int64(n))
		},
	})
	t.Cleanup(f.Close)
	return f
}

func list(t *testing.T, s *mem.Store) []audit.Record {
	t.Helper()
	page, err := s.Audit(t.Context(), audit.Query{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func written(action string) audit.Record {
	return audit.Record{Time: time.Now(), Result: audit.Done, Action: action}
}

func TestAWriteReturnsOnceItIsRecorded(t *testing.T) {
	s := mem.New()
	f := newFixture(t, s)
	for i := range 300 {
		f.Write(written(strconv.Itoa(i)))
		if all := list(t, s); len(all) != i+1 || all[0].Action != strconv.Itoa(i) {
			t.Fatalf("after %d writes there are %d records", i+1, len(all))
		}
		if lines := f.lines.all(); len(lines) != i+1 || !strings.HasPrefix(lines[i], `{"type":"audit","time":"`) {
			t.Fatalf("after %d writes there are %d lines, %s", i+1, len(lines), lines[len(lines)-1])
		}
	}
}

// stuck is a store that answers nothing until its context ends.
type stuck struct{ calls atomic.Int64 }

func (s *stuck) AppendAudit(ctx context.Context, _ []audit.Record, _ audit.Keep) error {
	s.calls.Add(1)
	<-ctx.Done()
	return ctx.Err()
}

func TestAStoreThatIsAwayHoldsAWriteUpForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, new(stuck))
		synctest.Wait()
		var wg sync.WaitGroup
		for range 3 * queued {
			wg.Go(func() {
				start := time.Now()
				f.Write(written("PUT"))
				if took := time.Since(start); took > storeTimeout {
					t.Errorf("it took %s", took)
				}
			})
		}
		wg.Wait()
		f.Close()
		if n := len(f.lines.all()); n != 3*queued {
			t.Errorf("there are %d lines", n)
		}
		if n := f.lostList.Load(); n != 3*queued {
			t.Errorf("%d are said to be lost of %d", n, 3*queued)
		}
		if told := f.told.all(); len(told) != 1 || !strings.Contains(told[0], "Audit records are lost") {
			t.Errorf("the log says %q", told)
		}
	})
}

func TestAFloodOfRefusalsIsSampledAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.New()
		f := newFixture(t, s)
		refuse := func(client string) {
			f.Refuse(audit.Record{Time: time.Now(), Result: audit.Refused, Address: client}, client)
		}
		for range 1000 {
			refuse("flood")
		}
		synctest.Wait()
		refuse("quiet") // which is not lost among the others
		synctest.Wait()
		all := list(t, s)
		if len(all) != clientBurst+1 || all[0].Address != "quiet" || all[0].Dropped != 1000-clientBurst {
			t.Errorf("%d records, the last one %+v", len(all), all[0])
		}
		for range 5 {
			refuse("flood")
		}
		time.Sleep(summary + time.Second)
		synctest.Wait()
		if all = list(t, s); all[0].Result != audit.Dropped || all[0].Dropped != 5 {
			t.Errorf("the last record is %+v", all[0])
		}
		for i := range 10_000 { // from many places
			refuse("bot " + strconv.Itoa(i))
		}
		f.Close()
		sum := int64(0)
		for _, r := range list(t, s) {
			if r.Result == audit.Refused {
				sum++
			}
			sum += r.Dropped
		}
		if sum != 11_006 || f.unrecorded.Load() > 11_006-clientBurst {
			t.Errorf("%d of 11006 refusals are told of", sum)
		}
	})
}

func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	f := newFixture(t, nil)
	f.lines.fail(errors.New("disk full"))
	f.Write(written("a"))
	f.Write(written("b"))
	f.lines.fail(nil)
	f.Write(written("c"))
	if n := f.lostLines.Load(); n != 2 {
		t.Errorf("%d are lost", n)
	}
	if told := f.told.all(); len(told) != 2 {
		t.Errorf("the log says %q", told)
	}
	f.Close()
	f.Close()
	f.Write(written("late"))
}
