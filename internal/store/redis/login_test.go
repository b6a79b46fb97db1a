package redis

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

// openLogged opens a store with a log.
func openLogged(t *testing.T, o Options) (*Store, *syncBuffer) {
	t.Helper()
	log := new(syncBuffer)
	o.KeyPrefix, o.Logger = "local", slog.New(slog.NewTextHandler(log, nil))
	s, err := Open(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s, log
}

// use does what a server does, through each of the store's clients.
func use(t *testing.T, s *Store) {
	t.Helper()
	changes, stop := storetest.Watching(t, s)
	put(t, s, ref, "1", nil)
	if got := storetest.Next(t, changes); got != (function.Change{Ref: ref}) {
		t.Errorf("told of %+v", got)
	}
	stop()
	appendLog(t, s, line("1"))
	if lines, err := s.AwaitLog(t.Context(), ref, function.LogCursor{}, 1, 1); err != nil || len(lines) != 1 {
		t.Errorf("got %v, %v", lines, err)
	}
}

const userIgnored = "leave the user out"

func TestTheUserCountsUnlessRedisTakesThePasswordAlone(t *testing.T) {
	guarded := testenv.Redis(t, "--requirepass", "secret", "--user", "known", "on", ">secret2", "+@all", "~*", "&*")
	open, cluster := testenv.Redis(t), testenv.RedisCluster(t)
	sentinel := testenv.RedisSentinel(t, guarded, "main")
	clusterClient := redis.NewClient(&redis.Options{Addr: cluster.Addr})
	defer clusterClient.Close()
	check(t, clusterClient.ConfigSet(t.Context(), "requirepass", "secret").Err())
	for endpoint, reported := range map[string]string{
		"redis://:secret@" + guarded.Addr:                                     "",
		"redis://anyuser:secret@" + guarded.Addr:                              userIgnored,
		"redis://anyuser:secret@" + guarded.Addr + "/2":                       userIgnored,
		"redis://known:secret2@" + guarded.Addr:                               "",
		"redis://" + guarded.Addr + "?password=secret&db=2":                   "",
		"redis://" + guarded.Addr + "?password=secret&username=anyuser":       userIgnored,
		"redis://anyuser@" + guarded.Addr + "?password=secret":                userIgnored,
		"redis://known@" + guarded.Addr + "?password=secret2":                 "",
		"redis://secret@" + guarded.Addr:                                      "",
		guarded.Addr + "?password=secret":                                     "",
		"redis+sentinel://any:secret@" + sentinel.Addr + "/service_name:main": userIgnored,
		"sentinel://any:secret@" + sentinel.Addr + "/service_name:main":       "",
		"redis+cluster://any:secret@" + cluster.Addr:                          userIgnored,
		"redis://anyuser:secret@" + open.Addr:                                 userIgnored,
		"redis://:secret@" + open.Addr:                                        "",
		open.Addr:                                                             "",
	} {
		t.Run(endpoint, func(t *testing.T) {
			s, log := openLogged(t, Options{Endpoint: endpoint, Name: "REDIS_ENDPOINT"})
			use(t, s)
			said := log.String()
			if got := strings.Contains(said, userIgnored); got != (reported != "") || strings.Count(said, userIgnored) > 1 {
				t.Errorf("said %s", said)
			}
			if strings.Contains(said, "secret") {
				t.Errorf("the log tells the password: %s", said)
			}
		})
	}
}

func TestNoLoginThatIsRightIsTheErrorOfTheFirst(t *testing.T) {
	server := testenv.Redis(t, "--requirepass", "right")
	s, log := openLogged(t, Options{Endpoint: "redis://anyuser:wrong@" + server.Addr})
	for range 3 {
		err := s.Ping(t.Context())
		if !errors.Is(err, function.ErrUnavailable) || !strings.Contains(err.Error(), "WRONGPASS") {
			t.Errorf("got %v", err)
		}
		if strings.Contains(log.String(), userIgnored) {
			t.Errorf("said %s", log.String())
		}
	}
}

func TestARedisThatComesLaterIsToldTheSame(t *testing.T) {
	server := testenv.Redis(t, "--requirepass", "secret")
	server.Stop()
	s, log := openLogged(
		t,
		Options{Endpoint: "redis://anyuser:secret@" + server.Addr, LogsEndpoint: "redis://other:secret@" + server.Addr},
	)
	server.Start()
	eventually(t, func() error { return s.Ping(t.Context()) })
	use(t, s)
	if got := strings.Count(log.String(), userIgnored); got != 2 {
		t.Errorf("%d endpoints are logged, want 2: %s", got, log.String())
	}
}

func TestOldServersKnowNoUsers(t *testing.T) {
	var log syncBuffer
	l := newLogins(&endpoint{username: "u", password: "p"}, "", slog.New(slog.NewTextHandler(&log, nil)))
	var seen []login
	err := l.try(t.Context(), func() error {
		u, p := l.credentials()
		seen = append(seen, login{u, p})
		switch {
		case u != "":
			return errors.New("failed to authenticate: ERR wrong number of arguments for 'auth' command")
		case p != "":
			return errors.New("failed to authenticate: ERR Client sent AUTH, but no password is set")
		}
		return nil
	})
	if err != nil || len(seen) != 3 || !strings.Contains(log.String(), "Redis asks for no password") {
		t.Errorf("tried %v, %v, said %s", seen, err, log.String())
	}
}

func TestAForbiddenChannelIsToldOnce(t *testing.T) {
	other, raw := withRaw(t)
	setUser := func(rule string) {
		t.Helper()
		check(t, raw.Do(t.Context(), "ACL", "SETUSER", "deaf", "on", ">pw", "~local*", "+@all", rule).Err())
	}
	setUser("resetchannels")
	s, log := openLogged(t, Options{Endpoint: "redis://deaf:pw@" + raw.Options().Addr})
	changes := make(chan function.Change, 100)
	go s.Watch(t.Context(), func(c function.Change) { changes <- c })
	eventually(t, func() error {
		if !strings.Contains(log.String(), "channel=localfunctions:changes") {
			return errors.New("nothing is said of the channel")
		}
		return nil
	})
	f := put(t, s, ref, "1", nil)
	g := put(t, other, ref, "2", nil)
	if v, err := s.Revision(t.Context(), ref); err != nil || v != g.VersionID || v == f.VersionID {
		t.Errorf("the write of another server is seen as %q, %v", v, err)
	}
	setUser("&localfunctions:changes")
	if got := storetest.Next(t, changes); got != (function.Change{All: true}) {
		t.Errorf("with the right to it the first change is %+v", got)
	}
	if got := strings.Count(log.String(), "may not use the channel"); got != 1 {
		t.Errorf("said %d times: %s", got, log.String())
	}
}

// rights are those that docs/operations.md tells to give.
const rights = "~local* &localfunctions:* -@all +@read +@write +@connection +@scripting +@pubsub " +
	"+memory|usage +time +ping +info"

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	_, raw := withRaw(t)
	args := []any{"ACL", "SETUSER", "functions", "on", ">pw"}
	for _, rule := range strings.Fields(rights) {
		args = append(args, rule)
	}
	check(t, raw.Do(t.Context(), args...).Err())
	s, log := openLogged(t, Options{Endpoint: "redis://functions:pw@" + raw.Options().Addr})
	use(t, s)
	check(t, s.SetEnv(t.Context(), ref, "A", "1"))
	check(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
	check(t, s.DeleteNamespace(t.Context(), "ns"))
	check(t, s.Delete(t.Context(), ref))
	if strings.Contains(log.String(), "WARN") {
		t.Errorf("said %s", log.String())
	}
	denied, err := raw.Do(t.Context(), "ACL", "LOG").Slice()
	if err != nil || len(denied) != 0 {
		t.Errorf("denied: %v, %v", denied, err)
	}
}

func TestKeptOutputMayUseTLSToo(t *testing.T) {
	c := testenv.NewCertificate(t)
	files := TLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: "127.0.0.1"}
	plain := testenv.Redis(t)
	_, addr := testenv.RedisTLS(t, c, "--requirepass", "secret")
	byName := strings.Replace(addr, "127.0.0.1", "localhost", 1) // which the certificate is not for
	s, _ := openLogged(t, Options{
		Endpoint: "redis://" + plain.Addr, LogsEndpoint: "rediss://anyuser:secret@" + byName, TLS: files,
	})
	use(t, s)
	files.ServerName = ""
	other, _ := openLogged(t, Options{
		Endpoint: "redis://" + plain.Addr, LogsEndpoint: "rediss://:secret@" + byName, TLS: files,
	})
	if _, err := other.ReadLog(t.Context(), ref, function.LogQuery{Limit: 1}); err == nil ||
		!strings.Contains(err.Error(), "localhost") {
		t.Errorf("a certificate for another name is taken: %v", err)
	}
}

func TestAnAuthorityThatIsNotTrustedIsNamedWithItsVariable(t *testing.T) {
	_, addr := testenv.RedisTLS(t, testenv.NewCertificate(t))
	for _, files := range []TLS{{}, {CAFile: testenv.NewCertificate(t).CAFile}} {
		s, _ := openLogged(t, Options{Endpoint: "rediss://" + addr, TLS: files})
		err := s.Ping(t.Context())
		if !errors.Is(err, function.ErrUnavailable) || !strings.Contains(err.Error(), "(REDIS_CA_FILE names") {
			t.Errorf("with %+v: %v", files, err)
		}
	}
}
