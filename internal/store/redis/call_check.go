package redis

import (
	"context"
	"strconv"
	"strings"
)

// oldestForCalls is the first version of Redis whose scripts may ask for the time before they write.
const oldestForCalls = 5

// checkForCalls says what Redis lacks for queued calls: they are data, which no cache may drop. One that is too old is
// given none.
func (s *Store) checkForCalls(ctx context.Context) {
	info, err := s.client.Info(ctx, "everything").Result()
	if err != nil { // as where an ACL forbids it
		s.log.InfoContext(ctx, "Whether Redis can keep asynchronous calls is not known: let the server's user call INFO",
			"error", err)
		return
	}
	if version := infoField(info, "redis_version"); tooOldForCalls(version) {
		s.tooOld.Store(true)
		s.log.WarnContext(ctx, "Asynchronous calls need Redis 5 or newer: each of them is refused until the server is "+
			"started with one; all else works", "version", version)
	}
	policy := infoField(info, "maxmemory_policy")
	if strings.HasPrefix(policy, "allkeys-") { // the others drop only what expires, such as lines of output
		s.log.WarnContext(ctx, "Redis drops functions and asynchronous calls when its memory is full: "+
			"set its maxmemory-policy to volatile-lru or noeviction", "policy", policy)
	}
}

// tooOldForCalls says whether a Redis of that version cannot keep queued calls. An unknown one is not too old.
func tooOldForCalls(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < oldestForCalls
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
