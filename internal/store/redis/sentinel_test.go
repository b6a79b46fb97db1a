package redis

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

// guarded are the lines that make a Sentinel, and the master that it asks, know the passwords of the tests below.
var guarded = []string{"sentinel auth-user main watcher", "sentinel auth-pass main pw@1"}

// watcher are the arguments of a master with an ACL user for the Sentinel and one for the store.
var watcher = strings.Fields("--requirepass of-default " +
	"--user watcher on >pw@1 +@all ~* allchannels --user store on >pw/2 +@all ~local* allchannels")

// wantUsable waits until the store at an endpoint can be written to and followed.
func wantUsable(t *testing.T, o Options) {
	t.Helper()
	o.KeyPrefix, o.Logger = "local", slog.New(slog.DiscardHandler)
	s, err := Open(t.Context(), o)
	check(t, err)
	defer s.Close()
	eventually(t, func() error { return s.Ping(t.Context()) })
	put(t, s, ref, "1", nil)
	appendLog(t, s, line("1"))
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" {
		t.Errorf("got %+v, %v", f, err)
	}
}

// wantRefused opens a store that cannot be used, and returns all that is said about it.
func wantRefused(t *testing.T, o Options) string {
	t.Helper()
	var log strings.Builder
	o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := Open(t.Context(), o)
	check(t, err)
	_, err = s.Get(t.Context(), ref)
	if !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("%s: %v", o.Endpoint, err)
	}
	check(t, s.Close())
	return err.Error() + log.String()
}

func TestSentinelsMayWantAPassword(t *testing.T) {
	master := testenv.Redis(t, "--requirepass", "of@redis")
	sentinel := testenv.RedisSentinelWith(
		t, master.Addr, "main", "sentinel auth-pass main of@redis", "requirepass of/sentinel",
	)
	for _, endpoint := range []string{
		"sentinel://:of@redis@" + sentinel.Addr + "/service_name:main?sentinel_password=of%2Fsentinel",
		"redis+sentinel://:of%40redis@" + sentinel.Addr + "/service_name:main?sentinel_password=of/sentinel",
	} {
		wantUsable(t, Options{Endpoint: endpoint})
	}
	for _, endpoint := range []string{
		"sentinel://:of@redis@" + sentinel.Addr + "/service_name:main",
		"sentinel://:of@redis@" + sentinel.Addr + "/service_name:main?sentinel_password=secret",
	} {
		if said := wantRefused(t, Options{Endpoint: endpoint}); strings.Contains(said, "secret") ||
			strings.Contains(said, "of@redis") {
			t.Errorf("a password is told: %s", said)
		}
	}
}

func TestSentinelsAndRedisMayWantUsers(t *testing.T) {
	master := testenv.Redis(t, watcher...)
	lines := append([]string{"user default off", "user asker on >pw:3 +@all allchannels"}, guarded...)
	sentinel := testenv.RedisSentinelWith(t, master.Addr, "main", lines...)
	wantUsable(t, Options{
		Endpoint: "redis+sentinel://store:pw%2F2@" + sentinel.Addr + "/service_name:main?sentinel_user=asker&sentinel_password=pw:3",
	})
	wantRefused(t, Options{Endpoint: "redis+sentinel://store:pw%2F2@" + sentinel.Addr + "/service_name:main"})
	wantRefused(t, Options{
		Endpoint: "redis+sentinel://store:wrong@" + sentinel.Addr + "/service_name:main?sentinel_user=asker&sentinel_password=pw:3",
	})
}

func TestSentinelsAndRedisMayUseTLS(t *testing.T) {
	c := testenv.NewCertificate(t)
	files := TLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}
	_, masterAddr := testenv.RedisTLS(t, c, watcher...)
	sentinelAddr := testenv.RedisSentinelTLS(t, c, masterAddr, "main", append(guarded, "requirepass pw:3")...)
	endpoint := "rediss+sentinel://store:pw%2F2@" + sentinelAddr + "/service_name:main?sentinel_password=pw:3"
	wantUsable(t, Options{Endpoint: endpoint, TLS: files})
	wantUsable(t, Options{Endpoint: "rediss://store:pw%2F2@" + masterAddr, TLS: files})
	stranger := testenv.NewCertificate(t)
	for name, other := range map[string]TLS{
		"an authority that nobody knows": {CAFile: stranger.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile},
		"the system's authorities":       {CertFile: c.CertFile, KeyFile: c.KeyFile},
		"no certificate":                 {CAFile: c.CAFile},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, Options{Endpoint: endpoint, TLS: other}) })
	}
}

func TestFilesForTLSAreChecked(t *testing.T) {
	c := testenv.NewCertificate(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	check(t, os.WriteFile(empty, nil, 0o600))
	for name, row := range map[string]struct {
		files TLS
		want  error
	}{
		"no such file":        {TLS{CAFile: empty + ".none"}, ErrCAFile},
		"no certificate":      {TLS{CAFile: empty}, ErrCAFile},
		"a key is missing":    {TLS{CertFile: c.CertFile}, ErrCertFile},
		"the key of another":  {TLS{CertFile: c.CertFile, KeyFile: testenv.NewCertificate(t).KeyFile}, ErrCertFile},
		"a certificate alone": {TLS{KeyFile: c.KeyFile}, ErrCertFile},
	} {
		if s, err := Open(t.Context(), Options{Endpoint: "rediss://127.0.0.1:1", TLS: row.files}); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func TestErrorsNameWhatWasTried(t *testing.T) {
	const name = "REDIS_ENDPOINT redis://***@127.0.0.1:1"
	var log strings.Builder
	s, err := Open(t.Context(), Options{
		Endpoint: "redis://:secret@127.0.0.1:1", Name: name,
		LogsEndpoint: "redis://:secret@127.0.0.1:2", LogsName: "LOGS_REDIS_ENDPOINT redis://***@127.0.0.1:2",
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	check(t, err)
	defer s.Close()
	err = s.Ping(t.Context())
	said := log.String()
	if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(said, name) ||
		!strings.Contains(
			said,
			"LOGS_REDIS_ENDPOINT redis://***@127.0.0.1:2",
		) || strings.Contains(err.Error()+said, "secret") {
		t.Errorf("error %v, log %s", err, said)
	}
}
