package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/backstage/functions/internal/config"
	app "github.com/backstage/functions/internal/server"
)

func newServe() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the server on port 8100; environment variables configure it",
		Long: "Run the server until it gets SIGTERM or SIGINT; then finish the calls in progress and exit.\n\n" +
			variablesHelp(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("serve takes no arguments, got %q: environment variables configure it, see functions serve "+
					"--help", args[0])
			}
			return nil
		},
		RunE: serve,
	}
}

func serve(cmd *cobra.Command, _ []string) error {
	return app.Run(cmd.Context(), app.Options{Environ: os.Environ(), Build: thisBuild(), Reload: hangups})
}

// isServer says whether the arguments start the server.
func isServer(args []string) bool { return len(args) < 2 || len(args) == 2 && args[1] == "serve" }

func variablesHelp() string {
	text := "These environment variables configure the server:\n"
	group := ""
	for _, v := range config.Variables() {
		if v.Group != group {
			group = v.Group
			text += "\n" + group + "\n"
		}
		text += fmt.Sprintf("  %s (default: %s)\n%s", v.Name, v.Default, wrapped(plain(v.Meaning)))
	}
	return text
}

// helpWidth is how wide a line of the help may be, in characters.
const helpWidth = 100

// wrapped is text as indented lines of at most helpWidth characters, unless a word is longer.
func wrapped(text string) string {
	const indent = "      "
	var out strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case width == 0:
			out.WriteString(indent)
			width = len(indent)
		case width+1+length > helpWidth:
			out.WriteString("\n" + indent)
			width = len(indent)
		default:
			out.WriteString(" ")
			width++
		}
		out.WriteString(word)
		width += length
	}
	return out.String() + "\n"
}

// link is a link of Markdown, which a terminal cannot follow.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)#]*)[^)]*\)`)

// plain is text for a terminal: a link becomes its words, with the document that it leads to.
func plain(text string) string {
	return link.ReplaceAllStringFunc(text, func(found string) string {
		parts := link.FindStringSubmatch(found)
		if parts[2] == "" {
			return parts[1]
		}
		return parts[1] + " (docs/" + parts[2] + ")"
	})
}
