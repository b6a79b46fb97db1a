//go:build !linux

package main

import "os"

var moreWithoutMeaning []os.Signal

// onTerminal is not known here.
func onTerminal() bool { return false }
