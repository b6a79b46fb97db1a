package redis

import (
	"crypto/tls"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// logStore keeps the lines of functions, in the Redis of the functions or in one of its own. It is safe for
// concurrent use.
type logStore struct {
	client   redis.UniversalClient
	awaiting redis.UniversalClient // see AwaitLog
	keys     logKeys
	own      bool // the client is not the store's
}

// newLogStore keeps lines at an endpoint; shared is the client of the store if it is the same Redis, else nil.
func newLogStore(e endpoint, config *tls.Config, as *logins, o *Options, shared redis.UniversalClient) *logStore {
	l := &logStore{
		client: shared, awaiting: newAwaiting(e, config, as), keys: logKeys{keys(o.KeyPrefix), e.cluster, o.OwnerSeparator},
	}
	if shared == nil {
		l.client, l.own = e.newClient(config, as, nil), true
	}
	return l
}

// close closes the connections that are its own.
func (l *logStore) close() error {
	err := l.awaiting.Close()
	if l.own {
		err = errors.Join(err, l.client.Close())
	}
	return err
}

// budgets are how many bytes a namespace may take, and all that are counted together.
func (l *logStore) budgets(keep function.LogLimits) (share, all int64) {
	all = keep.Memory
	if l.keys.cluster {
		all /= logShards
	}
	if share = keep.Namespace; share == 0 || share > all {
		share = all
	}
	return share, all
}
