package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/observe/logs"
)

// lastLine is the longest time to write the last line of a program that fails.
const lastLine = time.Second

// printFatal writes the error that ends the program to standard error, and its warnings, as JSON if the server's log is
// JSON. It does not wait long for a reader.
func printFatal(err error) {
	var text bytes.Buffer
	warn := func(m string) { fmt.Fprintln(&text, "functions: warning:", logs.Plain(m)) }
	fail := func(m string) { fmt.Fprintln(&text, "functions:", logs.Plain(m)) }
	if isServer(os.Args) && config.WantsJSON(os.LookupEnv) {
		app := logs.NewApp(logs.AppOptions{Out: &text, JSON: true})
		warn, fail = func(m string) { app.Warn(m) }, func(m string) { app.Error(m) }
	}
	if failed, ok := errors.AsType[*config.LoadError](err); ok {
		for _, warning := range failed.Warnings {
			warn(warning)
		}
	}
	fail(err.Error())
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = os.Stderr.Write(text.Bytes()) // nowhere else to report it
	}()
	select {
	case <-written:
	case <-time.After(lastLine):
	}
}
