package function_test

import (
	"fmt"

	"github.com/backstage/functions/internal/function"
)

func ExampleOwner() {
	fmt.Println(function.Owner("acme-shop", "-"), function.Owner("acme-shop", ""))
	// Output: acme acme-shop
}

func ExampleHashOf() {
	fmt.Println(function.HashOf("function main(req, res) { res.send(1) }"))
	// Output: 5fc65822061b76a0a0660b5fc376efb9cc1f24a3
}

func ExampleOptionNames() {
	names := function.OptionNames()
	fmt.Println(names[:6])
	fmt.Println(names[6:16])
	fmt.Println(names[16:])
	// Output:
	// [runtime maxInvocations maxConcurrency reuse afterAnswer timeout]
	// [syncTimeout memory cpu globals body init state warmup access rate]
	// [quotas cors websocket retries idempotency callback secrets]
}

func ExampleParseLogCursor() {
	_, err := function.ParseLogCursor("yesterday")
	fmt.Println(err)
	// Output: not the id of a line, which is such as "1767225600000-0"
}

func ExampleNewEnv() {
	env := function.NewEnv(function.Var{Name: "B", Value: "1"}, function.Var{Name: "A", Value: "2"})
	fmt.Println(env.Len())
	// Output: 2
}
