package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

var ref = function.Ref{Namespace: "ns", ID: "id"}

// open returns a store with the prefix of the original.
func open(t *testing.T, endpoint string) *Store {
	t.Helper()
	return openPrefix(t, endpoint, "local")
}

func openPrefix(t *testing.T, endpoint, prefix string) *Store {
	t.Helper()
	return openOptions(t, Options{Endpoint: endpoint, KeyPrefix: prefix})
}

func openOptions(t *testing.T, o Options) *Store {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// runSuite runs the contract against one endpoint, each test under a prefix of its own.
func runSuite(t *testing.T, endpoint string) {
	t.Helper()
	var prefixes atomic.Int32
	storetest.Run(t, func(t *testing.T) storetest.Store {
		prefix := fmt.Sprintf("test%d:", prefixes.Add(1))
		return openOptions(t, Options{
			Endpoint: endpoint, KeyPrefix: prefix, OwnerSeparator: storetest.OwnerSeparator,
			Limits: function.Limits{
				Routes: storetest.MaxRoutes, Keys: storetest.MaxKeys, Public: storetest.MaxPublic,
				Namespaces: storetest.MaxNamespaces,
				Modules:    storetest.MaxModules, Secrets: storetest.MaxSecrets,
			},
		})
	})
}

func TestStoreKeepsTheContract(t *testing.T) {
	runSuite(t, "redis://"+testenv.Redis(t).Addr)
}

func TestStoreKeepsTheContractInACluster(t *testing.T) {
	runSuite(t, "redis+cluster://"+testenv.RedisCluster(t).Addr)
}

func TestStoreKeepsTheContractBehindSentinel(t *testing.T) {
	master := testenv.Redis(t, "--requirepass", "pass@word")
	sentinel := testenv.RedisSentinel(t, master, "main")
	runSuite(t, "sentinel://:pass@word@"+sentinel.Addr+"/service_name:main")
}

func TestEndpointsReachTheirServer(t *testing.T) {
	socket := t.TempDir() + "/redis.sock"
	server := testenv.Redis(t, "--requirepass", "p:@w", "--unixsocket", socket)
	for _, endpoint := range []string{
		"redis://:p%3A%40w@" + server.Addr,
		"redis://default:p:@w@" + server.Addr + "/3",
		"unix://:p:@w@" + socket,
		"unix://:p:@w@" + socket + "?db=3",
	} {
		s := open(t, endpoint)
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
		if _, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "1"}); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	for db, want := range map[int]int64{0: 2, 3: 2, 1: 0} {
		client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: "p:@w", DB: db})
		if n, err := client.DBSize(t.Context()).Result(); n != want || err != nil {
			t.Errorf("database %d has %d keys, want %d, %v", db, n, want, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheWrongPasswordIsNeverShown(t *testing.T) {
	server := testenv.Redis(t, "--requirepass", "right")
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, endpoint := range []string{
		"redis://:secret@" + server.Addr,
		"sentinel://:secret@" + server.Addr + "/service_name:main",
		"redis+cluster://:secret@" + server.Addr,
		"redis://:secret@127.0.0.1:1",
	} {
		s, err := Open(t.Context(), Options{Endpoint: endpoint, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(t.Context(), ref)
		if err == nil || strings.Contains(err.Error()+log.String(), "secret") {
			t.Errorf("%s: error %v, log %s", endpoint, err, log.String())
		}
		storetest.WantUnavailable(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestABadEndpointIsAnError(t *testing.T) {
	if s, err := Open(context.Background(), Options{Endpoint: "http://:secret@h"}); err == nil || s != nil ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, %v", s, err)
	}
}
