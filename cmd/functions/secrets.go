package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	app "github.com/backstage/functions/internal/server"
)

func newSecrets() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Make and rotate the keys that encrypt secrets of functions",
		Long: "Make and rotate the keys that encrypt secrets of functions. They are in the file that SECRETS_KEYSET_FILE\n" +
			"names, or in the one that the command is given.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return errors.New("there is no command secrets " + args[0] + "; there are keygen and rotate")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeygen(), newRotate())
	return cmd
}

func newKeygen() *cobra.Command {
	var ifMissing bool
	cmd := &cobra.Command{
		Use:   "keygen [FILE]",
		Short: "Make a file with a new key, which only its user can read",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := secretsOptions(cmd, args)
			o.IfMissing = ifMissing
			return app.MakeKeyset(o)
		},
	}
	cmd.Flags().BoolVar(&ifMissing, "if-missing", false, "do nothing if the file is there")
	return cmd
}

func newRotate() *cobra.Command {
	var prepare bool
	cmd := &cobra.Command{
		Use:   "rotate [FILE]",
		Short: "Encrypt all secrets with another key, also while servers run",
		Long: "Encrypt all secrets with another key, also while servers run.\n\n" +
			"Where each server has its own copy of the file, begin with rotate --prepare: it makes the new key without using\n" +
			"it. Give the file to all servers, run rotate, and give it to them again.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := secretsOptions(cmd, args)
			o.Prepare = prepare
			return app.RotateKeyset(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&prepare, "prepare", false, "make the new key, and use it only with the next rotate")
	return cmd
}

func secretsOptions(cmd *cobra.Command, args []string) app.SecretsOptions {
	o := app.SecretsOptions{Environ: os.Environ(), Out: cmd.OutOrStdout()}
	if len(args) == 1 {
		o.File = args[0]
	}
	return o
}
