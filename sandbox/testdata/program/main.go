// Command program runs a function, as somebody does who has read the documentation of package sandbox and nothing else.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/backstage/functions/sandbox"
)

const code = `function main(req, res) { console.log('called'); res.send({ sum: req.body.a + req.body.b }) }`

func main() {
	ctx := context.Background()
	pool, err := sandbox.New(ctx, sandbox.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	result, err := pool.Invoke(ctx, &sandbox.Invocation{
		ID: "1", Key: "sum@1", Filename: "sum.js", Code: code,
		Request: sandbox.Request{Body: []byte(`{"a":1,"b":2}`)},
		OnLog:   func(line sandbox.LogLine) { fmt.Println(line.Level, line.Text) },
	})
	if err != nil {
		log.Panic(err)
	}
	fmt.Println(result.Status, string(result.Body))
}
