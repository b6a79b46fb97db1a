package latin1_test

import (
	"fmt"

	"github.com/backstage/functions/internal/httpd/latin1"
)

func ExampleDecode() {
	fmt.Println(latin1.Decode("caf\xe9"))
	// Output: café
}

func ExampleDecodeUnlessUTF8() {
	fmt.Println(latin1.DecodeUnlessUTF8("/café"), latin1.DecodeUnlessUTF8("/caf\xe9"))
	// Output: /café /café
}

func ExampleEncode() {
	header, ok := latin1.Encode("café")
	fmt.Printf("%q %v\n", header, ok)
	_, ok = latin1.Encode("€")
	fmt.Println(ok)
	// Output:
	// "caf\xe9" true
	// false
}
