package redis

import (
	"context"
	"strconv"
	"strings"
)

// oldestForCalls is the first version of Redis whose scripts may ask for the time before they write.
const oldestForCalls = 5

// warnAboutCalls says what Redis lacks for queued calls: they are data, which no cache may drop.
func (s *Store) warnAboutCalls(ctx context.Context) {
	info, err := s.client.Info(ctx, "everything").Result()
	if err != nil { // as where an ACL forbids it
		s.log.InfoContext(ctx, "Whether Redis can keep asynchronous calls is not known: let the server's user call INFO",
			"error", err)
		return
	}
	version, policy := infoField(info, "redis_version"), infoField(info, "maxmemory_policy")
	if major, _, _ := strings.Cut(version, "."); version != "" {
		if n, err := strconv.Atoi(major); err == nil && n < oldestForCalls {
			s.log.WarnContext(ctx, "Asynchronous calls need Redis 5 or newer: each of them will fail", "version", version)
		}
	}
	if strings.HasPrefix(policy, "allkeys-") { // the others drop only what expires, such as lines of output
		s.log.WarnContext(ctx, "Redis drops functions and asynchronous calls when its memory is full: "+
			"set its maxmemory-policy to volatile-lru or noeviction", "policy", policy)
	}
}

// infoField is a field of an answer of INFO; empty for none.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
