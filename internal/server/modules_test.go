package server

import "testing"

func TestModuleVersionsAreThoseOfTheirPackages(t *testing.T) {
	versions := moduleVersions("../../runner-js/main.js", []string{"lodash", "lodash/fp", "crypto", "@none/such/file"})
	if versions["lodash"] == "" || versions["lodash/fp"] != versions["lodash"] || len(versions) != 2 {
		t.Errorf("versions %v", versions)
	}
}
