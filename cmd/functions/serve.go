package main

import (
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/backstage/functions/internal/config"
	app "github.com/backstage/functions/internal/server"
)

func newServe() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve on port 8100; configured by environment variables",
		Long:  "Serve until the process gets SIGTERM or SIGINT: calls in progress are finished first.\n\n" + variablesHelp(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("serve takes no arguments, got %q: it is configured by environment variables, see functions serve --help", args[0])
			}
			return nil
		},
		RunE: serve,
	}
}

func serve(cmd *cobra.Command, _ []string) error {
	return app.Run(cmd.Context(), app.Options{Environ: os.Environ(), Build: thisBuild(), Reload: hangups})
}

// isServer says whether the arguments of the program ask it to serve.
func isServer(args []string) bool { return len(args) < 2 || len(args) == 2 && args[1] == "serve" }

func variablesHelp() string {
	text := "These environment variables configure the server:\n"
	group := ""
	for _, v := range config.Variables() {
		if v.Group != group {
			group = v.Group
			text += "\n" + group + "\n"
		}
		text += fmt.Sprintf("  %s (default: %s)\n      %s\n", v.Name, v.Default, plain(v.Meaning))
	}
	return text
}

// link is one of Markdown, whose target nobody can follow in a terminal.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)#]*)[^)]*\)`)

// plain is text as a terminal shows it: a link is its words, with the document that it leads to.
func plain(text string) string {
	return link.ReplaceAllStringFunc(text, func(found string) string {
		parts := link.FindStringSubmatch(found)
		if parts[2] == "" {
			return parts[1]
		}
		return parts[1] + " (docs/" + parts[2] + ")"
	})
}
