package bundle

import (
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// forms are those in which a file can have its handler.
const forms = "export default { fetch(request) { … } }, export default function (req, res) { … }, " +
	"export function main(req, res) { … }, module.exports = main, exports.main = main or function main(req, res) { … }"

// handler says how the entry has its handler.
type handler struct {
	// export is what must be added to the end of the entry, because it declares main and does not export it.
	export string
	// web says that what is exported is, or may be, an object with fetch.
	web bool
	// none says that there is no handler in any form.
	none bool
}

// These find statements in what esbuild prints: it begins those at the top level in the first column, in one form only.
var (
	declaresMain = regexp.MustCompile(`(?m)^(?:async )?function\*? main\(|^(?:var|let|const|class) main\b`)
	assignsMain  = regexp.MustCompile(`(?m)^(?:globalThis\.)?main = `)
	exportsMain  = regexp.MustCompile(`(?m)^export (?:async )?function\*? main\(|^export (?:var|let|const) main\b`)
	exportsAll   = regexp.MustCompile(`(?m)^export \* from `)
	exportList   = regexp.MustCompile(`(?m)^export \{([^}]*)\}`)
	listedMain   = regexp.MustCompile(`(?:^|,|\bas )\s*main\s*(?:,|$)`)
	listedOther  = regexp.MustCompile(`([\w$]+) as default\b|(?:^|,)\s*(default)\s*(?:,|$)`)
	exportsOther = regexp.MustCompile(`(?m)^export default (.*)`)
	commonJS     = regexp.MustCompile(`\b(?:module\s*(?:\.|\[\s*["'])exports|exports\s*[.\[=])|\bexports\b`)
	module       = regexp.MustCompile(`(?m)^\s*(?:import|export)\b`)
	notWeb       = regexp.MustCompile(`^(?:async\b|function\b|class\b|\(|[\w$]+ =>)`)
	identifier   = regexp.MustCompile(`^[\w$]{1,200}$`)
	fetches      = regexp.MustCompile(`\bfetch\b`)
)

// findHandler looks at the entry, which it has esbuild print in its own form. A file that cannot be parsed has one: the
// build tells what is wrong with it.
func findHandler(text string, loader api.Loader) handler {
	printed := api.Transform(text, api.TransformOptions{
		Loader: loader, Target: api.ESNext, Platform: api.PlatformNode, LegalComments: api.LegalCommentsNone,
		LogLevel: api.LogLevelSilent,
	})
	if len(printed.Errors) > 0 {
		return handler{}
	}
	code := string(printed.Code)
	if module.MatchString(code) || module.MatchString(text) && !commonJS.MatchString(code) {
		return ofModule(code)
	}
	declared := declaresMain.MatchString(code) || assignsMain.MatchString(code)
	switch {
	case declared:
		return handler{export: "\n;exports.main = main;\n"}
	case commonJS.MatchString(code):
		return handler{web: fetches.MatchString(code)}
	}
	return handler{none: true}
}

// ofModule is how an ES module has its handler.
func ofModule(code string) handler {
	other, hasOther := defaultOf(code)
	switch {
	case exportsMain.MatchString(code), inLists(code, listedMain):
		return handler{}
	case hasOther:
		return handler{web: mayFetch(other, code)}
	case declaresMain.MatchString(code):
		return handler{export: "\n;export { main };\n"}
	case exportsAll.MatchString(code):
		return handler{web: fetches.MatchString(code)}
	}
	return handler{none: true}
}

// inLists says whether one of the lists of exports matches.
func inLists(code string, want *regexp.Regexp) bool {
	for _, list := range exportList.FindAllStringSubmatch(code, -1) {
		if want.MatchString(strings.TrimSpace(list[1])) {
			return true
		}
	}
	return false
}

// defaultOf is the beginning of the expression that is exported as default, or the name of it.
func defaultOf(code string) (expression string, ok bool) {
	if found := exportsOther.FindStringSubmatch(code); found != nil {
		return strings.TrimSuffix(found[1], ";"), true
	}
	for _, list := range exportList.FindAllStringSubmatch(code, -1) {
		if found := listedOther.FindStringSubmatch(strings.TrimSpace(list[1])); found != nil {
			return found[1] + found[2], true
		}
	}
	return "", false
}

// mayFetch says whether an expression that is exported as default may be an object with fetch: functions are none, and
// neither are names that the same file declares as functions.
func mayFetch(expression, code string) bool {
	if notWeb.MatchString(expression) {
		return false
	}
	name := strings.TrimSpace(expression)
	if !identifier.MatchString(name) {
		return true
	}
	name = regexp.QuoteMeta(name)
	declared := regexp.MustCompile(`(?m)^(?:async )?function\*? ` + name + `\(|^class ` + name + `\b|` +
		`^(?:var|let|const) ` + name + ` = (?:async\b|function\b|\(|[\w$]+ =>)`)
	return !declared.MatchString(code)
}
