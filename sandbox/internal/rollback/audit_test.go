//go:build linux && amd64

package rollback

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// deaf has the worker's system calls happen without the host noting what they leave behind, as if each notification
// were lost but not waited for. The stub's own are heard.
func deaf(w *Worker) {
	w.listener.hook.Store(new(func(n *notification) bool {
		if n.number == unix.SYS_GETEGID && n.ip == w.listener.stub {
			return false
		}
		conn, err := w.listener.file.SyscallConn()
		if err != nil {
			return false
		}
		var sent error
		err = conn.Control(func(fd uintptr) { sent = notifyContinue(int(fd), n.id) })
		return err == nil && sent == nil
	}))
}

// blind has the worker's scans name no page that was written to.
func blind(w *Worker) {
	w.scan = func(pagemap int, start, end uint64, q query, into []region) (int, uint64, error) {
		if q.mask == isWritten && q.flags&scanProtect == 0 {
			return 0, end, nil
		}
		return scan(pagemap, start, end, q, into)
	}
}

// untold are the attacks on which nothing but their notification tells. The kernel refuses the first one; of the others
// /proc shows nothing: a timer of alarm(2), which the filter of workers refuses, a page that the kernel may drop later,
// what is in a pipe and its size, and whom a descriptor sends signals.
const untold = "uLT0189"

// Whatever of its other mechanisms fails, a comparison finds what an attack has left.
func TestAComparisonRestsOnNothingElse(t *testing.T) {
	for name, broken := range map[string]struct {
		by    func(*Worker)
		found string // of the attacks that leave their worker as it was where nothing is broken
		not   string // of the others
	}{
		"lost notifications":   {by: deaf, found: "fhowxzE", not: untold},
		"a scan without pages": {by: blind, found: "bcftxzANP"},
		"both":                 {by: func(w *Worker) { deaf(w); blind(w) }, found: "bcfhotwxzAENP", not: untold},
	} {
		t.Run(name, func(t *testing.T) {
			for _, attack := range attacks {
				if attack.silent {
					continue
				}
				b := newBed(t, nil)
				for range 3 { // what the stub and each call write to is on the list then
					b.call('a')
					b.must(b.rollBack())
				}
				broken.by(b.Worker)
				answer := b.call(attack.kind)
				err, kind := b.rollBack(), string(attack.kind)
				want := strings.Contains(broken.found, kind) || len(attack.causes) > 0 && !strings.Contains(broken.not, kind)
				if want != (err != nil) && (want || answer == 0) { // an error number is left in memory
					t.Errorf("%s (%s): %v", attack.name, kind, err)
				}
			}
		})
	}
}
