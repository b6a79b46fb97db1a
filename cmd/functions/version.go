package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	app "github.com/backstage/functions/internal/server"
)

// version and revision are set by the linker: -X main.version=v1.2.3 -X main.revision=COMMIT. A build without them uses
// what Go stamps.
var version, revision string

func thisBuild() app.Build {
	b := app.Build{Version: version, Revision: revision, GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Revision = cmp.Or(b.Revision, setting.Value)
			}
		}
		b.Version = cmp.Or(b.Version, info.Main.Version)
	}
	b.Revision = cmp.Or(b.Revision, "unknown")
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = b.Revision
	}
	return b
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "functions "+thisBuild().String())
			return err
		},
	}
}
