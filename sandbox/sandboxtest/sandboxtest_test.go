package sandboxtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/sandboxtest"
)

// invoker is what a program may take in place of a *sandbox.Pool.
type invoker interface {
	Invoke(ctx context.Context, inv *sandbox.Invocation) (*sandbox.Result, error)
}

var (
	_ invoker = (*sandbox.Pool)(nil)
	_ invoker = (*sandboxtest.Fake)(nil)
)

func double(body string) *sandbox.Invocation {
	return &sandbox.Invocation{
		ID: "1", Key: "double@1", Filename: "double.js", Code: `function main(req, res) { res.send(2 * req.body) }`,
		Request: sandbox.Request{Body: json.RawMessage(body)},
	}
}

func TestNewPoolRunsFunctions(t *testing.T) {
	pool := sandboxtest.NewPool(t, func(c *sandbox.Config) { c.Size = 1 })
	result, err := pool.Invoke(t.Context(), double("21"))
	if err != nil || string(result.Body) != "42" {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestFakeRefusesWhatAPoolRefuses(t *testing.T) {
	fake := &sandboxtest.Fake{}
	if _, err := fake.Invoke(t.Context(), double(`1,"type":"x"`)); !errors.Is(err, sandbox.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := fake.Invoke(ended, double("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if calls := fake.Calls(); len(calls) != 0 {
		t.Errorf("it remembers %d calls", len(calls))
	}
}

// A program's own type is tested with a Fake in place of its pool.
func ExampleFake() {
	fake := &sandboxtest.Fake{Answer: func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		if string(inv.Request.Body) == "0" {
			return nil, &sandbox.FunctionError{Status: 422, Message: "no zeros", Text: "Error: no zeros"}
		}
		return &sandbox.Result{Status: 200, Body: json.RawMessage("42")}, nil
	}}
	for _, body := range []string{"21", "0"} {
		result, err := fake.Invoke(context.Background(), double(body))
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(result.Status, string(result.Body))
	}
	fmt.Println(len(fake.Calls()), "calls")
	// Output:
	// 200 42
	// Error: no zeros
	// 2 calls
}
