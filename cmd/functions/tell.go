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

// lastLine is how long the last line of a program that fails may take to be written.
const lastLine = time.Second

// tell writes the error that ends the program to standard error, and the warnings that came with it, as JSON if the server's log is: nobody has
// to read it.
func tell(err error) {
	var text bytes.Buffer
	warn, fail := func(m string) { fmt.Fprintln(&text, "functions: warning:", m) }, func(m string) { fmt.Fprintln(&text, "functions:", m) }
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
		_, _ = os.Stderr.Write(text.Bytes()) // there is nowhere else
	}()
	select {
	case <-written:
	case <-time.After(lastLine):
	}
}
