package server

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/config"
)

func TestPortInUseIsToldWithWhatToDoForEveryListener(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	number := taken.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
	for variable, cfg := range map[string]*config.Config{
		"PORT":         {Host: "127.0.0.1", Port: number},
		"METRICS_PORT": {Host: "127.0.0.1", Metrics: true, MetricsHost: "127.0.0.1", MetricsPort: number},
	} {
		_, err := listen(cfg)
		wantAdvice(t, err, syscall.EADDRINUSE, variable+": another program listens on port "+port(taken), "ss -ltnp",
			"set "+variable+" to a free port")
	}
}

func TestTwoPlacesToListenAtAreNotTheSame(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := taken.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	both := func(host, other string) *config.Config {
		return &config.Config{Host: host, Port: n, Metrics: true, MetricsHost: other, MetricsPort: n}
	}
	for _, row := range []struct {
		cfg  *config.Config
		want string // the variables; empty where it listens
	}{
		{both("127.0.0.1", "127.0.0.1"), "PORT, METRICS_PORT"},
		{both("", ""), "PORT, METRICS_PORT"},
		{both("", "127.0.0.1"), "PORT, METRICS_PORT"},
		{both("127.0.0.1", "0.0.0.0"), "PORT, METRICS_PORT"},
		{both("127.0.0.1", "::"), "PORT, METRICS_PORT"},
		{both("localhost", "127.0.0.1"), "PORT, METRICS_PORT"},
		{both("127.0.0.1", "127.0.0.2"), ""},
		{&config.Config{Host: "127.0.0.1", Run: true, RunHost: "127.0.0.1", Metrics: true, MetricsHost: "127.0.0.1"}, ""},
		{&config.Config{Host: "127.0.0.1", Port: n, MetricsPort: n, RunPort: n}, ""}, // both are off
		{&config.Config{Host: "127.0.0.1", Port: n, Run: true, RunHost: "127.0.0.1", RunPort: n}, "PORT, RUN_PORT"},
		{&config.Config{
			Host: "127.0.0.1", Metrics: true, MetricsHost: "127.0.0.1", MetricsPort: n, Run: true, RunHost: "127.0.0.1", RunPort: n,
		}, "METRICS_PORT, RUN_PORT"},
	} {
		l, err := listen(row.cfg)
		if err == nil {
			err = l.close()
		}
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%+v: %v", row.cfg, err)
		case row.want != "" && (err == nil || err.Error() != row.want+": must not both be "+port(taken)+": set one of them to another port"):
			t.Errorf("%s: %v", row.want, err)
		}
	}
}

func TestListenErrorsSayWhatToDo(t *testing.T) {
	failed := func(number syscall.Errno) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", number)}
	}
	notFound := &net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}
	for _, row := range []struct {
		host string
		port int
		err  error
		want []string
	}{
		{"", 80, failed(syscall.EACCES), []string{"PORT: ", "port 80", "set PORT to 1024 or more", "CAP_NET_BIND_SERVICE"}},
		{"", 8100, failed(syscall.EACCES), []string{"PORT: ", "port 8100", "SELinux"}},
		{"192.0.2.1", 8100, failed(syscall.EADDRNOTAVAIL), []string{"HOST: must be an address of this machine", "192.0.2.1"}},
		{"nowhere.example", 8100, notFound, []string{"HOST: must be an address of this machine", "nowhere.example"}},
		{"", 8100, failed(syscall.ENOBUFS), []string{"PORT: ", "got 8100"}},
	} {
		wantAdvice(t, listenError("HOST", row.host, "PORT", row.port, row.err), row.err, row.want...)
	}
}

// wantAdvice checks the parts of an error's text, and its cause.
func wantAdvice(t *testing.T, err, cause error, parts ...string) {
	t.Helper()
	if !errors.Is(err, cause) {
		t.Errorf("%v is not %v", err, cause)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}
