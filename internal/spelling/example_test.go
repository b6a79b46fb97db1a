package spelling_test

import (
	"fmt"

	"github.com/backstage/functions/internal/spelling"
)

func ExampleNearest() {
	fmt.Println(spelling.Nearest("POOL_SISE", []string{"POOL_SIZE", "QUEUE_SIZE"}))
	// Output: POOL_SIZE 1
}

func ExampleDidYouMean() {
	fmt.Println("unknown field" + spelling.DidYouMean("runtme", []string{"runtime", "timeout"}))
	// Output: unknown field: did you mean "runtime"?
}
