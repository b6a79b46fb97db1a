package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/sandbox"
)

const maxRuntimes = 64

// RuntimeModules are the modules of one runtime; see RUNTIME_MODULES.
type RuntimeModules struct {
	// Modules take the place of Config.Modules; nil for none of its own. Dir is that of MODULES_DIR; empty for none.
	Modules []string
	Dir     string
}

// runtimesVariables are about the versions of Node.js.
var runtimesVariables = []Variable{
	{
		Name: "NODE_BINARY", Default: "found by the server", derive: none,
		Meaning: "Path of the Node.js binary that runs functions.",
		parse:   text(func(c *Config) *string { return &c.NodeBinary }),
	},
	{
		Name: "RUNTIMES", Default: "`NODE_BINARY` alone, named `node` and its major version", derive: none, Live: true,
		Meaning: "Node.js binaries that functions choose from by `runtime` in their PUT, such as " +
			"`node8=/opt/node8/bin/node,node24=/opt/node24/bin/node`, beside those that " +
			"[`functions runtimes add`](operations.md#runtimes) has installed. Functions that choose none get the first, " +
			"except new functions of files, which get the newest. The first stays until a restart. All runtimes together have " +
			"`POOL_SIZE` workers.",
		parse: past(runtimes, []string{"a=/x", "a=x, b=y", manyRuntimes(maxRuntimes)},
			[]string{"a", "=x", "a=", "a b=x", "a=x,a=y", "a=x,", manyRuntimes(maxRuntimes + 1)}),
	},
	{
		Name: "RUNTIME_MODULES", Default: "none", derive: none, Live: true,
		Meaning: "Modules of single runtimes in place of `DEFAULT_GLOBAL_MODULES` and `MODULES_DIR`, as a JSON object, " +
			"such as `{\"node24\":{\"modules\":\"lodash,zod\",\"dir\":\"/opt/modules24\"}}`. What is left out is as for all.",
		parse: runtimeModules(),
	},
}

// runtimeName matches the allowed names of a runtime.
var runtimeName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// runtimes reads "name=path,name=path".
func runtimes(c *Config, text string) error {
	if err := checkText(text); err != nil {
		return err
	}
	if strings.Count(text, ",") >= maxRuntimes {
		return fmt.Errorf("must be 1 to %d pairs", maxRuntimes)
	}
	for entry := range strings.SplitSeq(text, ",") {
		name, path, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok || path == "" || !runtimeName.MatchString(name) {
			return errors.New("must be name=path pairs separated by commas, names of letters, digits, dots and dashes")
		}
		if slices.ContainsFunc(c.Runtimes, func(r sandbox.Runtime) bool { return r.Name == name }) {
			return fmt.Errorf("must name %s once", name)
		}
		c.Runtimes = append(c.Runtimes, sandbox.Runtime{Name: name, Node: path})
	}
	return nil
}

func manyRuntimes(n int) string {
	var names []string
	for i := range n {
		names = append(names, "a"+strconv.Itoa(i)+"=x")
	}
	return strings.Join(names, ",")
}

// runtimeModules reads RUNTIME_MODULES.
func runtimeModules() parser {
	p := object(" of objects with the texts modules and dir", `{"modules":"lodash"}`, readRuntimeModules,
		func(c *Config) *map[string]RuntimeModules { return &c.RuntimeModules })
	p.within = append(p.within, `{"a":{}}`, `{"a":{"modules":"lodash, @a/b","dir":"/x"}}`, `{"a":{"dir":"x"}}`,
		`{"a":{"modules":""}}`)
	p.beyond = append(p.beyond, `{"a":{"module":"x"}}`, `{"a":{"modules":["x"]}}`, `{"a":{"modules":"../x"}}`,
		`{"a":{"modules":"a,,b"}}`, `{"a":{"dir":""}}`, `{"a":{"dir":null}}`, `{"a":[]}`, `{"a":null}`, `{"a b":{}}`)
	return p
}

// readRuntimeModules reads those of one runtime. An empty list lets its functions require nothing.
func readRuntimeModules(name string, value json.RawMessage) (m RuntimeModules, err error) {
	if !runtimeName.MatchString(name) {
		return m, errors.New("is not the name of a runtime")
	}
	members, err := readObject(string(value))
	if err != nil {
		return m, fmt.Errorf("is not an object: %w", err)
	}
	for _, member := range members {
		text, err := readString(member.value)
		switch {
		case err != nil:
			return m, fmt.Errorf("has a %q that %w", member.name, err)
		case member.name == "modules" && text == "":
			m.Modules = []string{}
		case member.name == "modules":
			c := &Config{}
			if err := list(checkModule, "a", "../x", func(*Config) *[]string { return &c.Modules }).read(c, text); err != nil {
				return m, fmt.Errorf("has modules that %w", err)
			}
			m.Modules = c.Modules
		case member.name == "dir" && text != "" && checkText(text) == nil:
			m.Dir = text
		case member.name == "dir":
			return m, errors.New("has a dir that is no path")
		default:
			return m, fmt.Errorf("has %q, which is neither modules nor dir", member.name)
		}
	}
	return m, nil
}
