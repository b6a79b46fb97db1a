package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	app "github.com/backstage/functions/internal/server"
)

// Exit statuses of check-migration other than 0; other commands exit with 1 for every error.
const (
	statusFindings = 1
	statusError    = 2
)

// exitError is an error with its own exit status. Without a cause everything was printed already.
type exitError struct {
	status int
	cause  error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

// statusOf is the exit status for an error, and whether the error was already printed.
func statusOf(err error) (status int, said bool) {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.status, e.cause == nil
	}
	return 1, false
}

func newCheckMigration() *cobra.Command {
	var asJSON, noDNS bool
	cmd := &cobra.Command{
		Use:   "check-migration",
		Short: "List what differs when this server replaces Backstage Functions; changes nothing",
		Long: "Read the Redis and the variables of Backstage Functions, and list what differs when this server\n" +
			"replaces it, or when it comes back. Without a Redis, read the embedded store, also while a server runs.\n" +
			"What differs is: names that collide, variables that are lost, code that does not\n" +
			"compile, missing modules, hosts that functions may not reach, different answers, and variables\n" +
			"without effect. This changes nothing.\n\n" +
			"Exit code 0 means that there is nothing to do, 1 that there are things to look at, 2 that the check failed.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				err := fmt.Errorf("check-migration takes no arguments except --json and --no-dns, got %q", args)
				return &exitError{statusError, err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings, err := app.CheckMigration(cmd.Context(), app.MigrationOptions{
				Environ: os.Environ(), Out: cmd.OutOrStdout(), Progress: cmd.ErrOrStderr(), JSON: asJSON, NoDNS: noDNS,
			})
			switch {
			case err != nil:
				return &exitError{statusError, err}
			case findings > 0:
				return &exitError{status: statusFindings}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&noDNS, "no-dns", false, "look up no host names")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{statusError, err} })
	return cmd
}
