package main

import (
	"fmt"

	"github.com/spf13/cobra"

	app "github.com/backstage/functions/internal/server"
)

func newAdminKey() *cobra.Command {
	return &cobra.Command{
		Use:   "admin-key",
		Short: "Print a new key for ADMIN_KEY_FILE",
		Long: "Print a new key of an administrator, for the file that ADMIN_KEY_FILE names. A server takes it when it\n" +
			"starts with that file. A server that finds no file makes one by itself.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), app.NewAdminKey())
			return err
		},
	}
}
