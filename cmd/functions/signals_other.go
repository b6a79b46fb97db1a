//go:build !linux

package main

import "os"

var moreWithoutMeaning []os.Signal
