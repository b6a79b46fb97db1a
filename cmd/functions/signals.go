package main

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups receives SIGHUP from the start on: one that arrives before the server can read its configuration again waits.
var hangups = make(chan os.Signal, 1)

// withoutMeaning are signals that would end a process, or make Go end it, and that mean nothing to a server. SIGPIPE
// comes when a reader of the log has left. SIGQUIT and SIGABRT are not among them: they ask for the stacks of a server
// that hangs, and end it.
var withoutMeaning = []os.Signal{
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGVTALRM, syscall.SIGXCPU,
	syscall.SIGXFSZ, syscall.SIGIO,
}

// catchSignals makes SIGHUP a request and keeps signals without meaning from ending the server before its callers have
// their answers. They are caught, not ignored: child processes would inherit that they are ignored.
func catchSignals() {
	signal.Notify(hangups, syscall.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), append(withoutMeaning, moreWithoutMeaning...)...)
}
