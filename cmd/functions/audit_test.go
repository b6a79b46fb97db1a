package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/audit"
)

// adminOf starts a server with keys and returns it with that of its administrator.
func adminOf(t *testing.T, vars ...string) (s *server, admin string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "admin.key")
	s = startServer(t, append(vars, "AUTH=on", "ADMIN_KEY_FILE="+file)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s, strings.TrimSpace(string(text))
}

// auditOf returns what GET /audit answers to who has the key, the newest first.
func auditOf(t *testing.T, s *server, key, query string) (all []audit.Record) {
	t.Helper()
	status, text := as(t, key, "GET", s.url+"/audit"+query, "")
	var page struct{ Items []audit.Record }
	if err := json.Unmarshal([]byte(text), &page); err != nil || status != http.StatusOK {
		t.Fatalf("answered %d %s", status, text)
	}
	return page.Items
}

// linesOf are the records in a file of lines.
func linesOf(t *testing.T, file string) (all []audit.Record) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		r, err := audit.Parse([]byte(line))
		if err != nil || !strings.HasPrefix(line, `{"type":"audit",`) {
			t.Errorf("%v in %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

func TestWritesAndRefusalsAreRecordedOnEveryStore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		lines := filepath.Join(t.TempDir(), "audit.log")
		s, admin := adminOf(t, storage, "AUDIT_FILE="+lines)
		id, ofA := newKey(t, admin, s.url, `{"role":"admin","namespaces":["a"]}`)
		if status, answer := as(t, ofA, "PUT", s.url+"/functions/a/f", `{"code":"function main(req, res) { res.send(1) }"}`); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		as(t, ofA, "PUT", s.url+"/functions/a/f/env/TOKEN", `"canary-of-a-value"`)
		as(t, ofA, "PUT", s.url+"/functions/b/f", `{}`)
		as(t, ofA, "PUT", s.url+"/functions/a/f/run", `{}`) // a call has no record
		as(t, "", "DELETE", s.url+"/functions/a/x%0A%7B%22type%22%3A%22audit%22%7D", "")
		want := []string{
			"refused 401 DELETE /functions/{namespace}/{id}", "refused 403 PUT /functions/{namespace}/{id}",
			"done 204 PUT /functions/{namespace}/{id}/env/{env}", "done 200 PUT /functions/{namespace}/{id}",
			"done 201 POST /keys",
		}
		eventually(t, "the refusals are recorded", func() bool { return len(auditOf(t, s, admin, "")) >= len(want) })
		list := auditOf(t, s, admin, "")
		for i, r := range list {
			if got := fmt.Sprint(r.Result, " ", r.Status, " ", r.Action); i >= len(want) || got != want[i] {
				t.Errorf("record %d is %s", i, got)
			}
		}
		if r := list[3]; r.Actor != id || r.Hash == "" || r.Address != "127.0.0.1" || r.Target["id"] != "f" {
			t.Errorf("the deploy is recorded as %+v", r)
		}
		if r := list[0]; r.Target["id"] != "x\n{\"type\":\"audit\"}" {
			t.Errorf("the refusal is recorded as %+v", r)
		}
		for _, r := range auditOf(t, s, ofA, "") {
			if len(r.Namespaces) != 1 || r.Namespaces[0] != "a" {
				t.Errorf("the administrator of a sees %+v", r)
			}
		}
		if ofFile := linesOf(t, lines); len(ofFile) != len(list) {
			t.Errorf("there are %d lines of %d records", len(ofFile), len(list))
		}
		text, _ := os.ReadFile(lines)
		for _, secret := range []string{admin, ofA, "canary-of-a-value", "function main"} {
			if _, answer := as(t, admin, "GET", s.url+"/audit", ""); strings.Contains(string(text)+answer, secret) {
				t.Errorf("the records have %.12s", secret)
			}
		}
	})
}

func TestTheFileOfRecordsIsReopened(t *testing.T) {
	lines := filepath.Join(t.TempDir(), "audit.log")
	s := startServer(t, "AUDIT_FILE="+lines)
	put(t, s.url+"/functions/a/f", "1", "")
	if err := os.Rename(lines, lines+".1"); err != nil {
		t.Fatal(err)
	}
	s.signal(t, syscall.SIGHUP)
	eventually(t, "the file is there again", func() bool {
		_, err := os.Stat(lines)
		return err == nil
	})
	put(t, s.url+"/functions/a/f", "2", "")
	for _, file := range []string{lines + ".1", lines} {
		if all := linesOf(t, file); len(all) != 1 || all[0].Result != audit.Done || all[0].Actor != "" {
			t.Errorf("%s has %+v", file, all)
		}
	}
	if status, _ := request(t, "GET", s.url+"/audit", ""); status != http.StatusNotFound {
		t.Errorf("without keys there is a list of records: %d", status)
	}
}

func TestRecordsGoToStandardOutput(t *testing.T) {
	s := startServer(t, "AUDIT_FILE=stdout")
	put(t, s.url+"/functions/a/f", "1", "")
	s.logs.await(t, `^({"type":"audit",.*"result":"done",.*"namespaces":\["a"\].*})$`)
}
