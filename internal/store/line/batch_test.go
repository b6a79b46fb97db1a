package line

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// slowDisk is a Keeper whose writes wait to be let through. It refuses a write with a text that is too long for it.
type slowDisk struct {
	Memory
	entered, through chan struct{}
	longest          int
	saves            int
}

func newSlowDisk(longest int) *slowDisk {
	return &slowDisk{entered: make(chan struct{}), through: make(chan struct{}), longest: longest}
}

func (d *slowDisk) Save(changes []Change) error {
	d.saves++
	d.entered <- struct{}{}
	<-d.through
	for _, c := range changes {
		if len(c.Payload) > d.longest {
			return errDisk
		}
	}
	return d.Memory.Save(changes)
}

// pass lets so many writes through.
func (d *slowDisk) pass(n int) {
	for range n {
		<-d.entered
		d.through <- struct{}{}
	}
}

var roomy = queue.Limits{Calls: 1000, Bytes: 1 << 30}

// putBehind begins a put that is being written, and puts of others behind it, which wait until all of them do.
func putBehind(t *testing.T, l *Line, disk *slowDisk, specs []*queue.Spec) (ends []chan error) {
	t.Helper()
	put := func(c *queue.Spec) {
		end := make(chan error, 1)
		ends = append(ends, end)
		go func() {
			_, err := l.Put(t.Context(), c, roomy)
			end <- err
		}()
	}
	put(spec("first"))
	<-disk.entered
	for _, c := range specs {
		put(c)
	}
	synctest.Wait()
	disk.through <- struct{}{}
	return ends
}

func TestOperationsThatWaitAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk(1000)
		l := New(disk, nil)
		var specs []*queue.Spec
		for i := range 50 {
			specs = append(specs, spec(strconv.Itoa(i)))
		}
		ends := putBehind(t, l, disk, specs)
		disk.pass(1)
		for _, end := range ends {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		if disk.saves != 2 || len(l.calls) != 51 {
			t.Errorf("%d writes, %d calls", disk.saves, len(l.calls))
		}
	})
}

func TestOneThatCannotBeWrittenFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk(10)
		l := New(disk, nil)
		large := spec("large")
		large.Payload = make([]byte, 11)
		ends := putBehind(t, l, disk, []*queue.Spec{spec("1"), large, spec("2")})
		disk.pass(1 + 3) // together, then each alone
		for i, end := range ends {
			if err := <-end; (i == 2) != errors.Is(err, errDisk) {
				t.Errorf("put %d: %v", i, err)
			}
		}
		if len(l.calls) != 3 || l.calls["large"] != nil || len(l.namespaces[ref.Namespace].keys) > 0 {
			t.Errorf("left: %+v", state(l))
		}
	})
}

func TestACallIsTakenInTheBatchThatItIsPutIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk(1000)
		l := New(disk, nil)
		taken := make(chan []*queue.Call, 1)
		l.jobs.add(&job{ctx: t.Context(), done: make(chan struct{}), what: func(ch *change) error {
			c := &queue.Call{Spec: *spec("1"), Status: queue.Queued, Created: ch.now, Due: ch.now, Until: ch.now.Add(time.Hour)}
			ch.put(c, Change{Payload: []byte("payload")})
			return nil
		}})
		go func() {
			got, _, err := l.Take(t.Context(), "one", 1, time.Hour)
			if err != nil {
				t.Error(err)
			}
			taken <- got
		}()
		disk.pass(1)
		if got := <-taken; len(got) != 1 || string(got[0].Payload) != "payload" {
			t.Errorf("took %+v", got)
		}
	})
}
