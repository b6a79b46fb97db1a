package redis

import (
	_ "embed" // the scripts

	"github.com/redis/go-redis/v9"
)

//go:embed lua/read.lua
var readSource string

// The writes. Each is one script, so it happens as a whole or not at all and its notice belongs to it. A server that
// forbids the channel (ACL) still takes the write: the notice is then lost and Revision tells others of the change.
var (
	//go:embed lua/put.lua
	putSource string
	putScript = redis.NewScript(putSource)

	//go:embed lua/edit.lua
	editSource string
	editScript = redis.NewScript(editSource)

	//go:embed lua/delete.lua
	deleteSource string
	deleteScript = redis.NewScript(deleteSource)

	//go:embed lua/namespace.lua
	namespaceSource string
	namespaceScript = redis.NewScript(namespaceSource)

	//go:embed lua/drop_namespace.lua
	dropNamespaceSource string
	dropNamespaceScript = redis.NewScript(dropNamespaceSource)

	//go:embed lua/copy.lua
	copySource string
	copyScript = redis.NewScript(copySource)

	//go:embed lua/adopt.lua
	adoptSource string
	adoptScript = redis.NewScript(adoptSource)

	//go:embed lua/drop.lua
	dropFunctionSource string
	dropFunctionScript = redis.NewScript(dropFunctionSource)
)
