package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// page is made from the variables by: go test ./internal/config -run TestDocs -update
const page = "../../docs/configuration.md"

var update = flag.Bool("update", false, "write "+page)

const intro = `# Configuration

Environment variables configure the server. An empty variable counts as not set. If a value, or a file that a variable
names, makes no sense, the server does not start. It reports all wrong values at once, each with the variable, its value
and what is accepted. Some files, such as those of ` + "`TLS_CERT_FILE` and `SECRETS_KEYSET_FILE`" + `, and modules are
read once all values are right, and the first that is wrong ends the start. ` + "`functions serve --help`" + ` prints
these tables.

- Sizes are bytes or have a unit (` + "`500kb`, `1.5mb`" + `; powers of 1024).
- Durations have a unit (` + "`500ms`, `10s`, `1m30s`" + `). Where milliseconds are named, a bare number is milliseconds.
- Switches are ` + "`true`, `1`, `yes` or `on`, and `false`, `0`, `no` or `off`" + `, in upper or lower case. ` + "`AUTH`" + `,
  ` + "`METRICS_AUTH` and `LOG_ACCESS`" + ` are no switches: they take the words that their rows name. Such words, as those
  of ` + "`STORAGE`" + `, may be in upper or lower case too.
- JSON is read strictly: an unknown name, a name that appears twice, or text after the object is an error.
- In lists with commas no item may be empty, not even the last one.

The start **warns** of

- values that Backstage Functions accepted and that are read differently here
  ([which](decisions/0013-what-variables-are-taken-for.md)),
- names that look like misspelt ones (` + "`EGRES`, `POOL_SIZ`" + `),
- variables that have no effect because of another one (` + "`NODE_BINARY` beside `RUNTIMES`" + `),
- limits that are higher than another one that applies too (` + "`HTTP_BODY_TIMEOUT` above `HTTP_READ_TIMEOUT`" + `).
`

const fileForm = `
## The file

` + "`CONFIG_FILE`" + ` names a file of at most 1 MiB with one variable per line:

` + "```sh" + `
# A comment is a line that begins with #.
POOL_SIZE=16
EGRESS_DENY=198.51.100.7,*.tracker.example
EGRESS_NAMESPACES={"pay": {"egress": "off", "allow": "api.bank.example:443"}}

# Quotes around a whole value, of either kind, are not part of it. The text between them is taken literally.
LOG_MONGAN_FORMAT=":method :url # :status"
EXPOSE_ENV_GREETING='say "hello"'
` + "```" + `

- It takes every variable of this page except ` + "`CONFIG_FILE`, and `EXPOSE_ENV_X`" + ` for any X. Any other name is an error,
  and so is a name twice.
- A ` + "`#`" + ` after a space in a value without quotes is an error, because it may be meant as a comment. So is text after
  the closing quote.
- Nothing is expanded: there are no escapes, no ` + "`$NAME`" + `, no continued lines.
`

const exposing = `
## What functions see

` + "`EXPOSE_ENV_X`" + ` is ` + "`Backstage.env.X`" + ` in every function, for any name X. A function's own variables take precedence
over it.
`

// live is the section on SIGHUP.
func live() string {
	var names []string
	for _, v := range Variables() {
		if v.Live {
			names = append(names, "`"+v.Name+"`")
		}
	}
	return "\n## What SIGHUP changes\n\nSIGHUP reads `CONFIG_FILE` again and applies these without a restart:\n" +
		strings.Join(names, ", ") + ".\nFor all others the log says what has changed and needs a restart. A file with an " +
		"error changes nothing\n([more](operations.md#signals)).\n"
}

// markdown is what the page should hold.
func markdown() string {
	var out strings.Builder
	out.WriteString(intro)
	group := ""
	for _, v := range Variables() {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&out, "\n## %s\n\n| Variable | Default | Meaning |\n|---|---|---|\n", group)
		}
		value := v.Default
		if v.derive == nil {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", v.Name, value, v.Meaning)
	}
	out.WriteString(exposing)
	out.WriteString(fileForm)
	out.WriteString(live())
	out.WriteString("\n## Variables of the original that have no effect\n\nThe start warns if one of them is set.\n\n| Variable | Why |\n|---|---|\n")
	for _, v := range UnusedVariables() {
		fmt.Fprintf(&out, "| `%s` | %s |\n", v.Name, v.Reason)
	}
	return out.String()
}

func TestDocsTellEveryVariable(t *testing.T) {
	if *update {
		if err := os.WriteFile(page, []byte(markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != markdown() {
		t.Error("docs/configuration.md is not up to date: run go test ./internal/config -run TestDocs -update")
	}
}

func TestVariablesAreDescribedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Variables() {
		if seen[v.Name] || v.Name == "" || v.Default == "" || v.Group == "" || !strings.HasSuffix(v.Meaning, ".") || strings.Contains(v.Meaning, "|") {
			t.Errorf("%+v", v)
		}
		seen[v.Name] = true
	}
	for _, v := range UnusedVariables() {
		if seen[v.Name] || v.Reason == "" {
			t.Errorf("%+v", v)
		}
		seen[v.Name] = true
	}
}
