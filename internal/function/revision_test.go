package function

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestStampIsRandomUUIDAndMilliseconds(t *testing.T) {
	a, b := NewStamp(), NewStamp()
	if a.VersionID == b.VersionID {
		t.Error("two stamps share a version ID")
	}
	if id, err := uuid.Parse(a.VersionID); err != nil || id.Version() != 4 {
		t.Errorf("version ID %q is not a version 4 UUID", a.VersionID)
	}
	if at, err := time.Parse(time.RFC3339, a.Time); err != nil || len(a.Time) != len("2006-01-02T15:04:05.000Z") || at.Location() != time.UTC {
		t.Errorf("time %q is not ISO 8601 in UTC with milliseconds", a.Time)
	}
}

func TestReviseKeepsWhatTheWriteDoesNotBring(t *testing.T) {
	stored := &Function{Env: NewEnv(Var{"A", "1"}), Created: "then", Updated: "then", VersionID: "old"}
	stamp := Stamp{VersionID: "new", Time: "now"}
	write := &Function{Ref: Ref{"ns", "id"}, Code: "code", Hash: "ignored", VersionID: "ignored", Created: "ignored"}

	next := write.Revise(stored, stamp)
	if next.Created != "then" || next.Updated != "now" || next.VersionID != "new" || next.Hash != HashOf("code") {
		t.Errorf("revision is %+v", next)
	}
	next.Env.Set("A", "changed")
	if v, _ := stored.Env.Get("A"); v != "1" {
		t.Error("the revision shares its environment with the stored function")
	}
	if first := write.Revise(nil, stamp); first.Created != "now" || first.Env != nil {
		t.Errorf("first revision is %+v", first)
	}
}

func TestRestampGivesAnEnvironmentToChange(t *testing.T) {
	stored := &Function{Env: NewEnv(Var{"A", "1"}), Created: "then", Updated: "then", VersionID: "old"}
	next := stored.Restamp(Stamp{VersionID: "new", Time: "now"})
	if next.Created != "then" || next.Updated != "now" || next.VersionID != "new" {
		t.Errorf("revision is %+v", next)
	}
	next.Env.Set("A", "changed")
	if v, _ := stored.Env.Get("A"); v != "1" {
		t.Error("the revision shares its environment with the stored function")
	}
	if bare := (&Function{}).Restamp(Stamp{}); bare.Env == nil {
		t.Error("a function without an environment got none")
	}
}

func TestCheckRefusesIncompleteFunctions(t *testing.T) {
	for _, f := range []Function{{Ref: Ref{"", "id"}, Code: "c"}, {Ref: Ref{"ns", ""}, Code: "c"}, {Ref: Ref{"ns", "id"}}} {
		if err := f.Check(); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%+v: got error %v", f, err)
		}
	}
}

func TestVersionStandsInForAMissingVersionID(t *testing.T) {
	if got := (&Function{VersionID: "v", Hash: "h"}).Revision(); got != "v" {
		t.Errorf("got %q", got)
	}
	if got := (&Function{Hash: "h"}).Revision(); got != "hash:h" {
		t.Errorf("got %q", got)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	dsn := "before"
	f := &Function{Env: NewEnv(Var{"A", "1"}), Settings: &Namespace{Name: "ns", SentryDSN: &dsn}}
	c := f.Clone()
	c.Env.Set("A", "2")
	*c.Settings.SentryDSN = "after"
	if v, _ := f.Env.Get("A"); v != "1" || dsn != "before" {
		t.Error("a change of the clone reached the original")
	}
	if (*Function)(nil).Clone() != nil {
		t.Error("the clone of nil is not nil")
	}
}
