package egress

import (
	"net"
	"strings"
	"testing"
	"time"
)

func FuzzRequestLinesAreReadInOneWay(f *testing.F) {
	for _, seed := range []string{"CONNECT a:1\n", "LOOKUP a\nrest", "\n", "A\x00 b\n", "CONNECT a:1 b\n", "CONNECT a\xff:1\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		worker, server := net.Pipe()
		go func() {
			_, _ = worker.Write(sent)
			_ = worker.Close()
		}()
		verb, argument, early, err := readRequest(server, time.Minute)
		_ = server.Close()
		if err != nil {
			return
		}
		if line := verb + " " + argument + "\n"; !strings.HasPrefix(string(sent), line+string(early)) {
			t.Errorf("%q is read as %q with %q after it", sent, line, early)
		}
		if strings.ContainsAny(verb+argument, "\n") || strings.Contains(argument, " ") {
			t.Errorf("%q is read as %q, %q", sent, verb, argument)
		}
	})
}
