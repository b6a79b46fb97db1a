package migration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
)

var requires = regexp.MustCompile("\\brequire\\(\\s*[\"'`]([^\"'`$\\n]{1,200})[\"'`]\\s*\\)")

// webModules are the modules of Node.js that functions with "globals":"web" may require without being listed, those of
// runner-js/builtins.js.
var webModules = strings.Fields(`
	assert assert/strict buffer crypto events path path/posix path/win32 querystring stream stream/consumers
	stream/promises stream/web string_decoder timers timers/promises url util util/types zlib
	dns dns/promises http https net tls
	console perf_hooks process
	async_hooks child_process diagnostics_channel fs fs/promises http2 os tty worker_threads`)

// modules finds modules that code requires and that a function with these options does not get.
func (c *Check) modules(code string, o *function.Options) (texts []string) {
	web := o.Globals != nil && *o.Globals == function.GlobalsWeb
	var told []string
	for _, match := range requires.FindAllStringSubmatch(code, maxMatches) {
		name := match[1]
		known := strings.HasPrefix(name, ".") || slices.Contains(c.Modules, name) ||
			web && slices.Contains(webModules, strings.TrimPrefix(name, "node:"))
		if known || slices.Contains(told, name) || len(told) == maxPerFunction {
			continue
		}
		told = append(told, name)
		texts = append(texts, fmt.Sprintf("requires %q, which is not listed in DEFAULT_GLOBAL_MODULES", name))
	}
	return texts
}
