package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot is the program with all its commands. Without a command it runs the server.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "functions",
		Short: "Functions stores JavaScript functions over HTTP and runs each call in an isolated Node.js process.",
		Long: "functions " + thisBuild().String() + "\n\n" +
			"Functions stores JavaScript functions over HTTP and runs each call in an isolated Node.js process.\n\n" +
			"Without a command it runs the server on port 8100. Environment variables configure it: see functions serve --help.",
		Version:       thisBuild().String(),
		Args:          isCommand,
		RunE:          serve,
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("functions {{.Version}}\n")
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newServe(), newHealth(), newBackup(), newCheckMigration(), newAdminKey(), newRuntimes(), newSecrets(),
		newVersion())
	return root
}

// isCommand refuses unknown commands and suggests those that were perhaps meant.
func isCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "there is no command " + args[0] + "; see functions --help"
	for _, name := range cmd.SuggestionsFor(args[0]) {
		text += fmt.Sprintf(". Did you mean functions %s?", name)
	}
	return errors.New(text)
}
