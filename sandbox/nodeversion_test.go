package sandbox_test

import (
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestNodeIsAskedWithoutTheServersOptionsForIt(t *testing.T) {
	t.Setenv("NODE_OPTIONS", "--no-such-option")
	version, major, err := sandbox.NodeVersion(t.Context(), realConfig(t).Node)
	if err != nil || major != 8 || version != "v8.17.0" {
		t.Errorf("it is %q, %d: %v", version, major, err)
	}
	if name, err := sandbox.ICUFile(t.Context(), realConfig(t).Node); err != nil || name != "icudt60l.dat" {
		t.Errorf("its ICU has %q: %v", name, err)
	}
}
