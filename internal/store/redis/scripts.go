package redis

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// source is the text of a script. It panics for a name that is not there, when the package is initialized.
func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// readSource is no redis.Script: see readHash.
var readSource = source("read")

// readAllSource is none either: it is sent in a pipeline, too.
var readAllSource = source("read_all")

// addUsageSource and takeSource are sent in pipelines as well.
var (
	addUsageSource = source("usage_add")
	takeSource     = source("take")
)

// The writes. Each is one script, so it happens as a whole or not at all, and its notice belongs to it. A server that
// forbids the channel (ACL) still takes the write: the notice is then lost, and other servers see the change by
// Revision.
var (
	putScript           = redis.NewScript(source("put"))
	editScript          = redis.NewScript(source("edit"))
	deleteScript        = redis.NewScript(source("delete"))
	namespaceScript     = redis.NewScript(source("namespace"))
	dropNamespaceScript = redis.NewScript(source("drop_namespace"))
	putRouteScript      = redis.NewScript(source("route_put"))
	deleteRouteScript   = redis.NewScript(source("route_delete"))
	putFieldScript      = redis.NewScript(source("field_put"))
	deleteFieldScript   = redis.NewScript(source("field_delete"))
	serversScript       = redis.NewScript(source("servers"))
	putModuleScript     = redis.NewScript(source("module_put"))
	putSecretScript     = redis.NewScript(source("secret_put"))
	deleteKeyScript     = redis.NewScript(source("delete_key"))
	copyScript          = redis.NewScript(source("copy"))
	adoptScript         = redis.NewScript(source("adopt"))
	dropFunctionScript  = redis.NewScript(source("drop"))
	auditScript         = redis.NewScript(source("audit"))
)

// Those of kept lines.
var (
	logLibrary   = source("log_lib")
	appendScript = redis.NewScript(logLibrary + source("log_append"))
	dropScript   = redis.NewScript(logLibrary + source("log_drop"))
	forgetScript = redis.NewScript(logLibrary + source("log_forget"))
)

// Those of queued calls.
var (
	callLibrary       = source("call_lib")
	putCallScript     = redis.NewScript(callLibrary + source("call_put"))
	takeCallsScript   = redis.NewScript(callLibrary + source("call_take"))
	renewCallsScript  = redis.NewScript(callLibrary + source("call_renew"))
	settleCallScript  = redis.NewScript(callLibrary + source("call_settle"))
	cancelCallScript  = redis.NewScript(callLibrary + source("call_cancel"))
	redriveCallScript = redis.NewScript(callLibrary + source("call_redrive"))
	holdKeyScript     = redis.NewScript(callLibrary + source("call_hold"))
	answerKeyScript   = redis.NewScript(callLibrary + source("call_answer"))
	forgetKeyScript   = redis.NewScript(callLibrary + source("call_forget"))
	evictCallsScript  = redis.NewScript(callLibrary + source("call_evict"))

	redriveCallbackScript = redis.NewScript(callLibrary + source("callback_redrive"))
)

// appendKeptScript is about the records of calls whose callers have waited.
var appendKeptScript = redis.NewScript(source("kept_append"))
