package invoke

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestTheOutputSaysWhyACallWasEnded(t *testing.T) {
	cancelled := EndedBy("The call was cancelled")
	for name, row := range map[string]struct {
		cause error
		death sandbox.Reason
		want  string
	}{
		"in words":        {cancelled, sandbox.ReasonCanceled, "Failed to run function: The call was cancelled\n"},
		"without":         {errors.New("x"), sandbox.ReasonCanceled, "sandbox: worker died: canceled\n"},
		"it died earlier": {cancelled, sandbox.ReasonDeadline, "Error: Function timeout\n"},
	} {
		f := newFixture(stored("a/b", "x"))
		if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); err != nil {
			t.Fatal(err)
		}
		f.pool.fails("a/b.js", &sandbox.DeathError{Reason: row.death})
		ctx, end := context.WithCancelCause(t.Context())
		end(row.cause)
		if _, err := f.Run(ctx, Call{Ref: ref("a/b")}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := f.output.text(); !strings.Contains(got, row.want) {
			t.Errorf("%s: printed %q", name, got)
		}
	}
}
