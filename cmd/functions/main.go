// Command functions stores JavaScript functions and runs each call of them in an isolated Node.js process.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/backstage/functions/internal/container"
)

func main() {
	catchSignals()
	container.Main(needsGroups, printFatal)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The first signal stops the server in order; the next one stops it at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		status, said := statusOf(err)
		if !said {
			printFatal(err)
		}
		os.Exit(status) // stop has nothing left to undo
	}
}

// run executes the arguments of the program. It writes what they ask for to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 2 && args[1] == "help" { // same as functions help COMMAND
		args = []string{"help", args[0]}
	}
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	return root.ExecuteContext(ctx)
}
