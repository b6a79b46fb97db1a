package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/audit"
)

// auditTests are of the records of writes and refusals.
var auditTests = table{
	"Audit":                      testAudit,
	"AuditIsReadInPages":         testAuditPages,
	"AuditKeepsTheNewest":        testAuditKeeps,
	"AuditSharesRoom":            testAuditShares,
	"AuditDropsWhatIsOld":        testAuditAge,
	"AuditIsAppendedAtOnce":      testAuditConcurrent,
	"AuditKeepsWhateverWasSaid":  testAuditText,
	"AuditTakesNoForeignCursors": testAuditCursors,
}

// keepAudit keeps all records of these tests.
var keepAudit = audit.Keep{Records: 1000, Age: time.Hour}

// record is one of that group.
func record(group, action string) audit.Record {
	return audit.Record{
		Group: group, Action: action, Time: time.Now().UTC().Truncate(time.Millisecond), Result: audit.Done,
		Namespaces: []string{group},
	}
}

func appendAudit(t *testing.T, s Store, keep audit.Keep, records ...audit.Record) {
	t.Helper()
	wantNoError(t, s.AppendAudit(t.Context(), records, keep))
}

// actions are the actions of the records that q selects, the newest first.
func actions(t *testing.T, s Store, q audit.Query) (all []string, more bool) {
	t.Helper()
	page, err := s.Audit(t.Context(), q)
	wantNoError(t, err)
	for _, r := range page.Items {
		all = append(all, r.Action)
	}
	return all, page.More
}

func wantActions(t *testing.T, s Store, want string) {
	t.Helper()
	if all, more := actions(t, s, audit.Query{Limit: 100}); strings.Join(all, " ") != want || more {
		t.Errorf("there are %q, %t, want %q", all, more, want)
	}
}

func testAudit(t *testing.T, s Store) {
	wantActions(t, s, "")
	first := record("a", "first")
	first.Status, first.Actor, first.Address, first.RequestID = 200, "K", "::1", "q"
	first.Target, first.Hash, first.Revision = map[string]string{"id": "f"}, "h", "v"
	appendAudit(t, s, keepAudit, first, record("b", "second"))
	appendAudit(t, s, keepAudit, record("a", "third"))
	appendAudit(t, s, keepAudit) // drops alone
	wantActions(t, s, "third second first")
	page, err := s.Audit(t.Context(), audit.Query{Limit: 1, Match: audit.Filter{Namespace: "a", Actor: "K"}.Matches})
	wantNoError(t, err)
	got := page.Items[0]
	if got.ID == "" || page.More {
		t.Errorf("%+v", page)
	}
	got.ID, got.Group = "", first.Group
	if !reflect.DeepEqual(got, first) {
		t.Errorf("it is %+v, want %+v", got, first)
	}
}

func testAuditPages(t *testing.T, s Store) {
	const n = 1203
	var records []audit.Record
	for i := range n {
		records = append(records, record([]string{"even", "odd"}[i%2], fmt.Sprint(i)))
	}
	appendAudit(t, s, audit.Keep{Records: 2 * n, Age: time.Hour}, records...)
	next := n - 1
	q := audit.Query{Limit: 100, Match: audit.Filter{Namespace: "even"}.Matches}
	for more := true; more; {
		page, err := s.Audit(t.Context(), q)
		wantNoError(t, err)
		for _, r := range page.Items {
			if r.Action != fmt.Sprint(next) {
				t.Fatalf("%s comes after %d", r.Action, next+2)
			}
			next -= 2
		}
		if more = page.More; more && len(page.Items) != q.Limit {
			t.Fatalf("a page has %d records", len(page.Items))
		}
		q.Before = page.Items[len(page.Items)-1].ID
	}
	if next != -2 {
		t.Errorf("they end before %d", next)
	}
	if all, more := actions(t, s, q); len(all) > 0 || more {
		t.Errorf("before the first are %q", all)
	}
}

func testAuditKeeps(t *testing.T, s Store) {
	for i := range 20 {
		appendAudit(t, s, audit.Keep{Records: 4, Age: time.Hour}, record("a", fmt.Sprint(i)))
	}
	wantActions(t, s, "19 18 17 16")
}

// A group that writes much loses its own records.
func testAuditShares(t *testing.T, s Store) {
	keep := audit.Keep{Records: 6, Age: time.Hour}
	appendAudit(t, s, keep, record("quiet", "q1"), record("quiet", "q2"), record("", "root"))
	for i := range 30 {
		appendAudit(t, s, keep, record("loud", fmt.Sprint(i)))
	}
	wantActions(t, s, "29 28 27 root q2 q1")
}

func testAuditAge(t *testing.T, s Store) {
	if s.Name() == "Redis" { // whose clock says when a record came
		appendAudit(t, s, audit.Keep{Records: 9, Age: time.Hour}, record("a", "old"))
		appendAudit(t, s, audit.Keep{Records: 9, Age: time.Nanosecond})
		wantActions(t, s, "")
		return
	}
	old := record("a", "old")
	old.Time = old.Time.Add(-2 * time.Hour)
	appendAudit(t, s, audit.Keep{Records: 9, Age: 3 * time.Hour}, old, record("a", "new"))
	wantActions(t, s, "new old")
	appendAudit(t, s, keepAudit)
	wantActions(t, s, "new")
}

func testAuditConcurrent(t *testing.T, s Store) {
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 5 {
				if err := s.AppendAudit(t.Context(), []audit.Record{record("a", "x"), record("a", "x")}, keepAudit); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if all, _ := actions(t, s, audit.Query{Limit: 1000}); len(all) != 100 {
		t.Errorf("there are %d records", len(all))
	}
}

func testAuditText(t *testing.T, s Store) {
	const hostile = "a\n{}\r\x00\"\\\u2028é"
	r := record(hostile, hostile)
	r.Target = map[string]string{"id": hostile}
	appendAudit(t, s, keepAudit, r)
	page, err := s.Audit(t.Context(), audit.Query{Limit: 1})
	wantNoError(t, err)
	if got := page.Items[0]; got.Action != hostile || got.Target["id"] != hostile || got.Namespaces[0] != hostile {
		t.Errorf("%+v", got)
	}
}

func testAuditCursors(t *testing.T, s Store) {
	for _, before := range []string{"x", "-", "1-x", "+", " 1"} {
		_, err := s.Audit(t.Context(), audit.Query{Limit: 1, Before: before})
		wantError(t, err, audit.ErrCursor)
	}
}
