package sandbox

import (
	"runtime"
	"testing"
)

// What a pool says of rollback is one thing or the other, with a reason where it is not available.
func TestSnapshotTellsOfRollback(t *testing.T) {
	support := processes{}.rollback()
	if support.Available == (support.Reason != "") {
		t.Errorf("got %+v", support)
	}
	if runtime.GOARCH != "amd64" && support.Available {
		t.Error("there is no stub for this processor")
	}
	p := &runtimePool{starter: processes{}}
	if got := p.starter.(rollbackTeller).rollback(); got != support {
		t.Errorf("the pool says %+v, want %+v", got, support)
	}
}
