// Command child is the child of builds alone, for tests whose own binary would be slow at it.
package main

import _ "github.com/backstage/functions/internal/build/bundle"

func main() {}
