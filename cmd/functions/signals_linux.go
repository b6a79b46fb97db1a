package main

import (
	"os"
	"syscall"
)

// moreWithoutMeaning are signals that only Linux has.
var moreWithoutMeaning = []os.Signal{syscall.SIGPWR, syscall.SIGSTKFLT}
