package egress_test

import (
	"fmt"

	"github.com/backstage/functions/internal/egress"
)

func ExampleParseRule() {
	_, err := egress.ParseRule("*.example.com:443")
	fmt.Println(err)
	_, err = egress.ParseRule("exa mple")
	fmt.Println(err)
	_, err = egress.ParseRule("http://api.example.com")
	fmt.Println(err)
	// Output:
	// <nil>
	// rule "exa mple": not a host name or an address
	// rule "http://api.example.com": must be without a scheme
}

func ExampleParseRules() {
	rules, err := egress.ParseRules("10.0.0.0/8, api.example.com:443")
	fmt.Println(len(rules), err)
	// Output: 2 <nil>
}

func ExampleNewUpstream() {
	_, err := egress.NewUpstream("ftp://proxy.example", "")
	fmt.Println(err)
	// Output: must be the URL of an HTTP proxy, such as http://proxy.example:3128 or https://user:password@proxy.example
}
