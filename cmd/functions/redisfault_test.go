package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/testenv"
)

// redisFault is something that happens to Redis, and how it ends.
type redisFault struct {
	name       string
	begin, end func(r *testenv.RedisServer)
	reads      bool // whether functions can still be read
	deletes    bool // whether functions can still be deleted
	full       bool // whether that is why writes are refused
}

func command(text string) func(*testenv.RedisServer) {
	return func(r *testenv.RedisServer) { r.Do(text) }
}

var redisFaults = []redisFault{
	{"killed", (*testenv.RedisServer).Stop, (*testenv.RedisServer).Start, false, false, false},
	{"stopped by a signal", (*testenv.RedisServer).Pause, (*testenv.RedisServer).Resume, false, false, false},
	{"full", command("CONFIG SET maxmemory 1"), command("CONFIG SET maxmemory 0"), true, true, true},
	{"a read-only replica", command("REPLICAOF 127.0.0.1 1"), command("REPLICAOF NO ONE"), true, false, false},
	{"without enough replicas", command("CONFIG SET min-replicas-to-write 1"), command("CONFIG SET min-replicas-to-write 0"), true, false, false},
	{"refusing its users", command("ACL SETUSER default nopass -@all +config +acl +replicaof"), command("ACL SETUSER default +@all"), false, false, false},
}

// durable are the arguments of a Redis that has on disk what it has acknowledged.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

func TestFunctionsRunAndWritesFailClearlyWhateverHappensToRedis(t *testing.T) {
	for _, fault := range redisFaults {
		t.Run(fault.name, func(t *testing.T) {
			redis := testenv.Redis(t, durable...)
			s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr)
			s.discardLogs()
			l := newLoad(t, s.url)
			l.deploy(t)
			for _, id := range []string{"before", "away", "other"} {
				l.mustPut(t, "written/"+id, "function main(req, res) { res.send(1) }")
			}
			if !l.healthy() {
				t.Fatal("not every function answers before the fault")
			}
			fault.begin(redis)
			l.runWhileRedisIsAway(t)
			l.wantWritesRefused(t, &fault)
			fault.end(redis)
			l.wantRecovery(t)
		})
	}
}

// runWhileRedisIsAway calls functions for longer than they are trusted without a look at Redis: none may fail.
func (l *load) runWhileRedisIsAway(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	l.run(ctx, 4)
	l.check(t)
	if l.right != l.calls {
		t.Error("not every call of a function in memory was answered by it")
	}
}

const changedCode = "function main(req, res) { res.send(2) }"

func (l *load) wantWritesRefused(t *testing.T, fault *redisFault) {
	t.Helper()
	refusal := `{"error":"Storage is unavailable"}`
	if fault.full {
		refusal = `{"error":"Storage is full"}`
	}
	var all sync.WaitGroup
	try := func(method, path, body string, allowed bool) {
		all.Go(func() {
			r := send(l.client, method, l.base+path, body)
			switch {
			case allowed && r.status < 300:
			case allowed, r.status != http.StatusServiceUnavailable, r.body != refusal, r.retryAfter == "":
				t.Errorf("%s %s: %v", method, path, r)
			}
		})
	}
	try("PUT", "/functions/written/before", deployment(changedCode, ""), false)
	try("PUT", "/functions/written/new", deployment(changedCode, ""), false)
	try("PUT", "/functions/written/before/env/A", `"1"`, false)
	try("GET", "/functions/written/before", "", fault.reads)
	try("GET", "/functions?namespace=sums", "", fault.reads)
	try("PUT", "/functions/written/other/run", "{}", fault.reads)
	try("DELETE", "/functions/written/away", "", fault.deletes)
	all.Wait()
}

// wantRecovery waits until writes are taken again and looks at what is stored: each write as a whole or not at all.
func (l *load) wantRecovery(t *testing.T) {
	t.Helper()
	eventually(t, "a write to be taken again", func() bool {
		return send(l.client, "PUT", l.base+"/functions/written/after", deployment(changedCode, "")).status == http.StatusOK
	})
	for _, path := range []string{"written/before", "written/new", "written/away", "written/other", "written/after"} {
		l.wantWhole(t, path)
	}
	for _, j := range jobs {
		l.wantWhole(t, j.path)
	}
	l.mustPut(t, "written/before", changedCode)
	if r := send(l.client, "PUT", l.base+"/functions/written/before/run", "{}"); r.body != "2" {
		t.Errorf("a function deployed after the fault answered %v", r)
	}
	eventually(t, "every function to answer", l.healthy)
}

func (l *load) mustPut(t *testing.T, path, code string) {
	t.Helper()
	if r := send(l.client, "PUT", l.base+"/functions/"+path, deployment(code, "")); r.status != http.StatusOK {
		t.Fatalf("deploy %s: %v", path, r)
	}
}

// wantWhole fails t unless a function is stored with all that belongs to it, or not at all, and is listed if and only if it is stored. It
// returns its code.
func (l *load) wantWhole(t *testing.T, path string) string {
	t.Helper()
	namespace, id, _ := strings.Cut(path, "/")
	r := send(l.client, "GET", l.base+"/functions/"+path, "")
	listed := send(l.client, "GET", l.base+"/functions?namespace="+namespace+"&id="+id, "")
	isListed := strings.Contains(listed.body, fmt.Sprintf(`{"namespace":%q,"id":%q}`, namespace, id))
	if listed.status != http.StatusOK || (r.status != http.StatusOK && r.status != http.StatusNotFound) {
		t.Errorf("%s: %v, list %v", path, r, listed)
		return ""
	}
	if isListed != (r.status == http.StatusOK) {
		t.Errorf("%s: %d, but listed: %v", path, r.status, isListed)
	}
	if r.status == http.StatusNotFound {
		return ""
	}
	var stored struct{ Code, Hash, VersionID, Created, Updated string }
	if err := json.Unmarshal([]byte(r.body), &stored); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	sum := sha1.Sum([]byte(stored.Code))
	if stored.Hash != hex.EncodeToString(sum[:]) || stored.VersionID == "" || stored.Created == "" || stored.Updated == "" {
		t.Errorf("%s is stored as %+v", path, stored)
	}
	return stored.Code
}
