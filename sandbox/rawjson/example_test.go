package rawjson_test

import (
	"fmt"

	"github.com/backstage/functions/sandbox/rawjson"
)

func ExampleArrayIndex() {
	fmt.Println(rawjson.ArrayIndex("7"))
	_, ok := rawjson.ArrayIndex("07")
	fmt.Println(ok)
	// Output:
	// 7 true
	// false
}

func ExampleSetMember() {
	fmt.Println(string(rawjson.SetMember([]byte(`{"a":1,"b":2}`), "b", []byte(`[3]`))))
	// Output: {"a":1,"b":[3]}
}

func ExampleUnquote() {
	fmt.Println(rawjson.Unquote([]byte(`"caf\u00e9"`)))
	// Output: café
}

func ExampleAppendASCII() {
	fmt.Println(string(rawjson.AppendASCII(nil, "café")))
	// Output: "caf\u00e9"
}
