//go:build !amd64

package seccomp

var plainHere, filesHere []string
