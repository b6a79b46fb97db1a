package bytesize_test

import (
	"fmt"

	"github.com/backstage/functions/internal/bytesize"
)

func ExampleParse() {
	for _, text := range []string{"1024", "500kb", "1.5 MB", "1m"} {
		fmt.Println(bytesize.Parse(text))
	}
	// Output:
	// 1024 <nil>
	// 512000 <nil>
	// 1572864 <nil>
	// 0 size "1m": not a number of bytes such as 1024, 500kb or 1.5mb
}
