package outcome_test

import (
	"errors"
	"fmt"

	"github.com/backstage/functions/internal/outcome"
)

func ExampleOf() {
	fmt.Println(outcome.Of(outcome.NotFound("Not found function 'x'")).Status)
	fmt.Println(outcome.Of(errors.New("disk is gone")).Status)
	// Output:
	// 404
	// 500
}

func ExampleIsStatus() {
	fmt.Println(outcome.IsStatus(404), outcome.IsStatus(150))
	// Output: true false
}
