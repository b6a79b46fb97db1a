// Command functions stores JavaScript functions and runs each call of them in an isolated Node.js process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/container"
	"github.com/backstage/functions/sandbox"
)

const usage = `Functions stores JavaScript functions over HTTP and runs each call in an isolated Node.js process.

  functions [serve]        serve on port 8100; configured by environment variables
  functions serve --help   list the variables
  functions health         ask the server on this machine whether it lives; exit code 0 says yes
  functions health --ready ask it whether it can take calls
  functions backup FILE    copy the embedded store, also while the server runs; - is standard output
  functions version        print the version
  functions --help         print this
`

func main() {
	sandbox.Init()
	catchSignals()
	container.Main(needsGroups, tell)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The first signal ends the server in order; the next one ends it at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		tell(err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to undo
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	var text string
	if (command == "health" || command == "backup") && len(args) == 1 && isHelp(args[0]) {
		command = "help"
	}
	switch command {
	case "serve":
		if len(args) == 0 {
			return serve(ctx)
		}
		if len(args) > 1 || !isHelp(args[0]) {
			return fmt.Errorf("serve takes no arguments but --help: it is configured by environment variables, got %q", args[0])
		}
		text = variablesHelp()
	case "health":
		return askHealth(ctx, args, out)
	case "backup":
		return runBackup(ctx, args, out)
	case "version", "--version", "-v":
		text = "functions " + thisBuild().String() + "\n"
	default:
		if !isHelp(command) {
			return errors.New("there is no command " + command + "; see functions --help")
		}
		text = "functions " + thisBuild().String() + "\n\n" + usage
	}
	_, err := io.WriteString(out, text)
	return err
}

// isServer says whether the arguments of the program ask it to serve.
func isServer(args []string) bool { return len(args) < 2 || len(args) == 2 && args[1] == "serve" }

func isHelp(word string) bool { return word == "help" || word == "--help" || word == "-h" }

func variablesHelp() string {
	text := "functions serve reads these environment variables:\n"
	group := ""
	for _, v := range config.Variables() {
		if v.Group != group {
			group = v.Group
			text += "\n" + group + "\n"
		}
		text += fmt.Sprintf("  %s (default: %s)\n      %s\n", v.Name, v.Default, v.Meaning)
	}
	return text
}
