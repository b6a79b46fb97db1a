//go:build linux

package sandbox_test

import (
	"context"
	"fmt"
	"log"

	"github.com/backstage/functions/sandbox"
)

// A pool needs Node.js on PATH and nothing else. IsolationStrict, which is the default, also needs rights to make
// cgroups, as root has them; IsolationNone, as here, needs none, and is for code that is trusted.
func Example() {
	ctx := context.Background()
	cfg := sandbox.DefaultConfig()
	cfg.Isolation = sandbox.IsolationNone
	cfg.Size, cfg.Prewarmed = 1, 1
	pool, err := sandbox.New(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	result, err := pool.Invoke(ctx, &sandbox.Invocation{
		ID: "1", Key: "hello@1", Filename: "hello.js",
		Code:    `function main(req, res) { res.send({ say: 'hello ' + req.body.name }) }`,
		Request: sandbox.Request{Method: "PUT", Body: []byte(`{"name":"Joe"}`)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Status, string(result.Body))
	// Output: 200 {"say":"hello Joe"}
}
