package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	nodes "github.com/backstage/functions/internal/runtimes"
	app "github.com/backstage/functions/internal/server"
)

// catalog is what can be installed.
var catalog = nodes.Pinned

func newRuntimes() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtimes",
		Short: "List, add and remove versions of Node.js for functions, also while the server runs",
		Long: "List, add and remove versions of Node.js for functions. They are kept in DATA_DIR/runtimes; a running\n" +
			"server with the same DATA_DIR takes up what is added and lets go of what is removed.\n\n" +
			"They come from an npm registry: that of NPM_REGISTRY, or the one that npm uses (npm_config_registry, .npmrc).\n" +
			"This program knows their hashes, so that it does not matter which registry it is.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return errors.New("there is no command runtimes " + args[0] + "; there are list, add NAME and remove NAME")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRuntimesList(),
		changesRuntimes("add NAME...", "Fetch and install runtimes, such as node24", app.AddRuntimes),
		changesRuntimes("remove NAME...", "Remove installed runtimes; calls in progress finish", app.RemoveRuntimes))
	return cmd
}

func newRuntimesList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runtimes that functions can ask for, and those that can be added",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.ListRuntimes(cmd.Context(), runtimesOptions(cmd), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// changesRuntimes is a command that changes the runtimes of some names.
func changesRuntimes(
	use, short string, change func(context.Context, app.RuntimesOptions, []string) error,
) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("usage: functions runtimes " + use + "; functions runtimes list says which names there are")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd.Context(), runtimesOptions(cmd), args)
		},
	}
}

func runtimesOptions(cmd *cobra.Command) app.RuntimesOptions {
	_, err := unix.IoctlGetWinsize(int(os.Stderr.Fd()), unix.TIOCGWINSZ)
	return app.RuntimesOptions{
		Environ: os.Environ(), Catalog: catalog(), Out: cmd.OutOrStdout(), Progress: cmd.ErrOrStderr(), Terminal: err == nil,
	}
}
