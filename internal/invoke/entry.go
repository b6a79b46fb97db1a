package invoke

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// entryOverhead is what an entry costs apart from its texts, roughly.
const entryOverhead = 1 << 10

// entry is one function in memory, with all that a call needs of it computed in advance.
type entry struct {
	fn *function.Function
	// key binds workers to this function, its code and its runtime.
	key      string
	filename string
	compiled sandbox.Compiled
	// compiledBytes is how many bytes compiled holds; guarded by the cache's lock.
	compiledBytes int
	// env is the function's own environment as JSON; nil when it has none.
	env json.RawMessage
	// snapshotKey is key where workers are put back: with the environment, if a snapshot holds what code has made of it.
	snapshotKey string
	// runtime and maxInvocations are the function's own, or the zero that stands for the server's.
	runtime        string
	maxInvocations int
	// cut says that the function's own setting is to cut what a call has left at its answer.
	cut bool
	// reuse is what the function says of that; empty for the server's own setting.
	reuse string
	// timeout and syncTimeout are the function's own, or the zero that stands for the server's.
	timeout, syncTimeout time.Duration
	// memory and cpu are limits of its workers, or the zero that stands for the server's.
	memory int64
	cpu    float64
	// secrets are the names of those that its calls get.
	secrets []string
	// state says that calls find what earlier ones have kept; warmup is what workers that are put back serve at first.
	state  bool
	warmup *sandbox.Warmup
	// web and once are what the worker is told of the code, fetches what the pool is.
	web, once, fetches bool
	// revision is what Source.Revision says as long as nothing was written.
	revision string
	// verified is when the source last confirmed revision; guarded by the cache's lock.
	verified time.Time
}

// bareEntry is the entry of a function that is tried out: it has no environment, and no revision.
func bareEntry(fn *function.Function, bounds *function.Bounds) *entry {
	e := &entry{fn: fn, key: workerKey(fn), filename: fn.Filename()}
	e.snapshotKey = e.key
	e.setOptions(bounds.Within(fn.Options))
	return e
}

// newEntry is the entry of a function that is stored.
func newEntry(fn *function.Function, bounds *function.Bounds) (*entry, error) {
	e := bareEntry(fn, bounds)
	e.revision = fn.Revision()
	if e.once {
		// One that was deleted and stored anew starts anew, with the same code, too: its first write is another one. No
		// call finds what a trial run has left.
		e.key += "\x00\x00since" + fn.Created
		e.snapshotKey = e.key
	}
	if fn.Env == nil {
		return e, nil
	}
	env, err := fn.Env.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("environment of %s: %w", fn.Ref, err)
	}
	e.env = env
	if e.once || e.warmup != nil {
		sum := sha256.Sum256(env)
		e.snapshotKey += "\x00\x00env" + hex.EncodeToString(sum[:])
	}
	return e, nil
}

// setOptions keeps what calls need of o.
func (e *entry) setOptions(o function.Options) {
	e.runtime, e.maxInvocations = valueOf(o.Runtime), valueOf(o.MaxInvocations)
	e.reuse = valueOf(o.Reuse)
	e.cut = valueOf(o.AfterAnswer) == function.AfterAnswerCut
	e.memory, e.cpu = valueOf(o.Memory), valueOf(o.CPU)
	e.web, e.once = isWeb(&o), isOnce(&o)
	e.state, e.warmup = keepsState(&o), warmupOf(&o)
	e.fetches = mayFetch(e.fn.Program())
	e.secrets = valueOf(o.Secrets)
	e.timeout, e.syncTimeout = valueOf(o.Timeout), valueOf(o.SyncTimeout)
}

// invocation has what every run of the function's code needs, a trial run too.
func (e *entry) invocation() *sandbox.Invocation {
	return &sandbox.Invocation{
		Key: e.key, Group: e.fn.Namespace, Filename: e.filename, Code: e.fn.Program(),
		Runtime: e.runtime, SyncTimeout: e.syncTimeout, Web: e.web, Once: e.once, Fetches: e.fetches,
		Memory: e.memory, CPU: e.cpu,
	}
}

// mayFetch guesses whether code uses the fetch of Node.js. Wrong guesses make its calls slower, and no different.
func mayFetch(code string) bool {
	return strings.Contains(code, "fetch(") && !strings.Contains(code, "node-fetch")
}

// valueOf is the option, or the zero that stands for the server's own setting.
func valueOf[T any](option *T) (value T) {
	if option != nil {
		value = *option
	}
	return value
}

// size counts the code and what V8 makes of it. Until that is known, room for as much again is set aside.
func (e *entry) size() int64 {
	code := len(e.fn.Program())
	given := 0 // is kept as well
	if e.fn.Artefact != nil {
		given = len(e.fn.Code)
	}
	if e.fn.Source != nil {
		given += len(e.fn.Source.Map)
	}
	texts := len(e.env) + len(e.key) + len(e.snapshotKey) + len(e.filename)
	return int64(given+code+max(code, e.compiledBytes)+texts) + entryOverhead
}

// workerKey names the function, its code, its runtime and what else a worker is bound to. The stored hash is not used:
// two different codes must never share a worker, whatever a record says, and SHA-1 can be made to collide.
func workerKey(fn *function.Function) string {
	// The worker of the trial run has lowered the code by itself.
	sum := sha256.Sum256([]byte(fn.Shown()))
	key := fn.Namespace + "\x00" + fn.ID + "\x00" + hex.EncodeToString(sum[:])
	if runtime := runtimeOf(fn); runtime != "" {
		key += "\x00" + runtime
	}
	if isWeb(&fn.Options) { // no runtime has an empty name, so these are not one
		key += "\x00\x00web"
	}
	if isOnce(&fn.Options) {
		key += "\x00\x00once"
	}
	if reuse := valueOf(fn.Options.Reuse); reuse != "" {
		key += "\x00\x00" + reuse
	}
	if keepsState(&fn.Options) {
		key += "\x00\x00state"
	}
	if w := fn.Options.Warmup; w != nil && w.On {
		text, _ := function.OptionOf("warmup").Get(&fn.Options)
		key += "\x00\x00" + text // an object of JSON, which none of the others is
	}
	if memory, cpu := valueOf(fn.Options.Memory), valueOf(fn.Options.CPU); memory != 0 || cpu != 0 {
		key += fmt.Sprintf("\x00\x00%d,%g", memory, cpu)
	}
	return key
}

func isWeb(o *function.Options) bool { return valueOf(o.Globals) == function.GlobalsWeb }
func isOnce(o *function.Options) bool {
	return valueOf(o.Init) == function.InitOnce || keepsState(o)
}

// keepsState says whether calls find what earlier ones have kept, which a worker that is put back has not.
func keepsState(o *function.Options) bool { return valueOf(o.State) == function.StateWorker }

// warmupHTTP is what a warmup tells of HTTP: a request of the server itself.
const warmupHTTP = `{"path":"/","url":"/","ip":"127.0.0.1","host":"localhost","scheme":"http"}`

// warmupOf is the warmup of a function; nil for none, and for one that the store has and that cannot be made.
func warmupOf(o *function.Options) *sandbox.Warmup {
	w := o.Warmup
	if w == nil || !w.On {
		return nil
	}
	request := sandbox.Request{Method: cmp.Or(w.Method, http.MethodPut), Header: w.Headers, Query: w.Query, Body: w.Body}
	for _, object := range []*json.RawMessage{&request.Header, &request.Query} {
		if len(*object) == 0 {
			*object = json.RawMessage("{}")
		}
	}
	if valueOf(o.Body) == function.BodyRaw {
		request.Body, request.Raw, request.HasRaw = nil, bytesOf(w.Body), true
	}
	if (Found{Function: &function.Function{Options: *o}}).LearnsPath() { // else main lacks methods that it has in calls
		request.HTTP = asking(json.RawMessage(warmupHTTP), valueOf(o.Body))
	}
	made, err := sandbox.NewWarmup(request, max(w.Times, 1))
	if err != nil {
		return nil
	}
	return made
}

// bytesOf are the bytes of a body for a function that takes such: those of a string, else the JSON text.
func bytesOf(body json.RawMessage) []byte {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return []byte(text)
	}
	return body
}

// runtimeOf is the runtime that f asks for; empty stands for the server's first.
func runtimeOf(f *function.Function) string { return valueOf(f.Options.Runtime) }
