package server

import (
	"encoding/json"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// poolConfig is the pool's part of the configuration.
func poolConfig(cfg *config.Config, node *nodeInstall, observer sandbox.Observer) sandbox.Config {
	pool := sandbox.DefaultConfig()
	pool.Runner, pool.Runtimes = node.runner, node.runtimes
	pool.Size, pool.Prewarmed, pool.Spare, pool.Reserve = cfg.PoolSize, cfg.PoolPrewarmed, cfg.PoolSpare, cfg.PoolReserve
	pool.Active, pool.Memory = cfg.PoolActive, cfg.PoolMemory()
	pool.LargestMemory = cfg.FunctionMemoryMax
	pool.MaxInvocations, pool.IdleTimeout = cfg.MaxInvocations, cfg.IdleTimeout
	pool.RollbackAudit = cfg.RollbackAudit
	pool.QueueSize, pool.QueueTimeout = cfg.QueueSize, cfg.QueueTimeout
	pool.SyncTimeout, pool.AsyncTimeout = cfg.SyncTimeout, cfg.AsyncTimeout
	pool.StreamIdle, pool.StreamTotal, pool.StreamUnread = cfg.StreamIdle, cfg.StreamTotal, cfg.StreamUnread
	pool.Modules, pool.ModulesDir, pool.Isolation = cfg.Modules, node.modules, cfg.Isolation
	pool.Limits.Memory, pool.Limits.CPU, pool.Limits.Tmp = cfg.MemoryLimit, cfg.CPULimit, cfg.TmpSize
	pool.Limits.Answer = int(cfg.ResponseLimit)
	// A body may grow to six times its size as a JSON string. A call carries code and body; in a pipeline the body is the
	// answer of the step before. What was built of files is text of which little grows.
	bodies := 8 * cfg.BodyLimit
	pool.Limits.Frame = max(pool.Limits.Frame, int(bodies+cfg.ResponseLimit), int(bodies+2*cfg.CodeLimit)) + secretBytes
	pool.Env, pool.TimeZone = mustJSON(cfg.ExposeEnv), cfg.TimeZone
	pool.ICUData = cfg.ICUData
	pool.Observer = observer
	return pool
}

// secretBytes is how long the secrets of a call may be as JSON.
const secretBytes = 6 * function.MaxSecretNames * function.MaxSecretBytes

func mustJSON(env *function.Env) json.RawMessage {
	text, err := env.MarshalJSON()
	if err != nil { // cannot fail for an Env
		panic(err)
	}
	return text
}
