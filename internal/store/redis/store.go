// Package redis keeps functions in Redis, alone, behind Sentinel or as a cluster, in the keys and hashes of
// Backstage Functions 0.3, so that both can work on the same data.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/keylock"
)

// Options configure a Store.
type Options struct {
	// Endpoint says where Redis is, in one of these forms:
	//
	//	redis://[[user]:password@]host[:port][/database]    also rediss (TLS), host:port alone, and a port of this machine
	//	unix://[[user]:password@]/path[?db=database]        also a path alone
	//	sentinel://[:password@]host[:port],…/service_name:NAME
	//	redis+sentinel://[[user]:password@]host[:port],…/service_name:NAME
	//	                                                    also rediss+sentinel (TLS to Sentinels and Redis)
	//	redis+cluster://[[user]:password@]host[:port],…     also rediss+cluster (TLS)
	//
	// User and password are percent-decoded; one without the colon is the password. With sentinel the password, which
	// is that of Redis and not of the Sentinels, is taken as it stands and the user is ignored, as Backstage Functions
	// 0.3 did. With the others it counts, unless Redis accepts the password only without it. Where they are missing,
	// ?db=DATABASE, &username=USER and &password=PASSWORD count. What the Sentinels themselves ask for follows as
	// ?sentinel_user=USER&sentinel_password=PASSWORD, percent-encoded.
	Endpoint string
	// LogsEndpoint is where the lines that functions print are kept, in the same forms; empty stands for Endpoint.
	LogsEndpoint string
	// KeyPrefix begins every key; nothing stands between it and the rest.
	KeyPrefix string
	// OwnerSeparator ends the name of an owner in that of a namespace: the namespaces of one owner share the memory of
	// kept lines. Empty makes each namespace an owner.
	OwnerSeparator string
	// Name is what errors and the log call the endpoint, without its password, such as "REDIS_ENDPOINT redis://***@h".
	// LogsName is that of LogsEndpoint.
	Name     string
	LogsName string
	// TLS is for endpoints with TLS.
	TLS TLS
	// DialTimeout bounds a try to connect; 0 stands for DefaultDialTimeout.
	DialTimeout time.Duration
	// Limits bound what is written and read.
	Limits function.Limits
	// Logger is told when Redis goes away and comes back, and at debug level what the Redis client has to say. Nil stands
	// for slog.Default().
	Logger *slog.Logger
}

// Store keeps functions in Redis. Use Open. It is safe for concurrent use, and recovers by itself when Redis does.
type Store struct {
	*logStore // what functions print

	client  redis.UniversalClient
	name    string
	keys    keys
	cluster bool // see listing
	limits  function.Limits
	log     *slog.Logger
	envs    envFaults
	edits   keylock.Locks // of functions, see edit
	totals  callTotals
	looked  looks
	tooOld  atomic.Bool // Redis cannot keep queued calls

	heartbeat time.Duration   // see watch
	life      context.Context // ends with Close
	close     func() error
}

// ErrLogsEndpoint marks the error of Open that is about Options.LogsEndpoint.
var ErrLogsEndpoint = errors.New("of kept output")

// Open returns a store for an endpoint. It fails only for an endpoint that it does not understand and for files for
// TLS that cannot be used; no error has a password. A Redis that cannot be used at the moment is logged.
func Open(ctx context.Context, o Options) (*Store, error) {
	e, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	var ofLogs endpoint
	if o.LogsEndpoint != "" {
		if ofLogs, err = parseEndpoint(o.LogsEndpoint); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLogsEndpoint, err)
		}
	}
	e.dialTimeout, ofLogs.dialTimeout = o.DialTimeout, o.DialTimeout
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	config, err := o.TLS.config()
	if err != nil {
		return nil, err
	}
	as := newLogins(&e, o.Name, o.Logger)
	client := e.newClient(config, as, nil)
	logs := newLogStore(e, config, as, &o, client)
	if o.LogsEndpoint != "" {
		logs = newLogStore(ofLogs, config, newLogins(&ofLogs, o.LogsName, o.Logger), &o, nil)
	}
	life, end := context.WithCancel(context.Background())
	s := &Store{
		client:    client,
		name:      o.Name,
		logStore:  logs,
		keys:      keys(o.KeyPrefix),
		cluster:   e.cluster,
		limits:    o.Limits,
		log:       o.Logger,
		heartbeat: heartbeat,
		life:      life,
		close: sync.OnceValue(func() error {
			end()
			return errors.Join(logs.close(), client.Close())
		}),
	}
	if err := s.Ping(ctx); err != nil {
		s.log.WarnContext(ctx, "Redis cannot be used yet.", "error", err)
	} else {
		s.checkForCalls(ctx)
	}
	if logs.own {
		if err := logs.client.Ping(ctx).Err(); err != nil {
			s.log.WarnContext(ctx, "The Redis of kept output cannot be used yet.", "endpoint", o.LogsName, "error", err)
		}
	}
	return s, nil
}

// Name is "Redis".
func (s *Store) Name() string { return "Redis" }

// Ping returns nil when Redis answers.
func (s *Store) Ping(ctx context.Context) error {
	return at(strings.TrimSpace("ping "+s.name), storeError(ctx, s.client.Ping(ctx).Err()))
}

// Close closes the connections; later calls wrap function.ErrUnavailable.
func (s *Store) Close() error {
	return at("close", s.close())
}

// run runs a script; an empty answer is no error.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	var answer any
	err := s.evicting(ctx, func() (err error) {
		answer, err = script.Run(ctx, s.client, keys, args...).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return answer, storeError(ctx, err)
}
