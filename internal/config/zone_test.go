package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/sandbox/hostinfo"
)

func TestTheZoneOfTheMachineIsFound(t *testing.T) {
	file := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(hostinfo.ZoneData, name))
		if err != nil {
			t.Fatalf("the time zone database is not there (Debian: apt install tzdata): %v", err)
		}
		return content
	}
	for _, row := range []struct {
		about   string
		link    string
		content []byte
		want    localZone
	}{
		{"a link", hostinfo.ZoneData + "/America/Sao_Paulo", nil, localZone{name: "America/Sao_Paulo"}},
		{"a link to UTC", hostinfo.ZoneData + "/Etc/UTC", nil, localZone{}},
		{"a link to another name of UTC", hostinfo.ZoneData + "/Zulu", nil, localZone{}},
		{"a copy", "", file("Asia/Tokyo"), localZone{name: "Asia/Tokyo"}},
		{"a copy of UTC", "", file("UTC"), localZone{}},
		{"a zone without a region", hostinfo.ZoneData + "/Etc/GMT+3", nil, localZone{name: "Etc/GMT+3"}},
		{"nothing", "", nil, localZone{}},
		{"a broken link", "/nowhere/zoneinfo/Asia/Tokyo", nil, localZone{}},
	} {
		path := filepath.Join(t.TempDir(), "localtime")
		var err error
		switch {
		case row.link != "":
			err = os.Symlink(row.link, path)
		case row.content != nil:
			err = os.WriteFile(path, row.content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := findZone(path); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.about, got, row.want)
		}
	}
	path := filepath.Join(t.TempDir(), "localtime")
	if err := os.WriteFile(path, []byte("TZif of nobody"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := findZone(path); got.name != "" || !strings.Contains(got.fault, "set TZ") {
		t.Errorf("a zone of nobody: %+v", got)
	}
	pipe := filepath.Join(t.TempDir(), "localtime") // which nobody writes to
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := findZone(pipe); got.name != "" || !strings.Contains(got.fault, "not a regular file: functions see UTC") {
		t.Errorf("a pipe: %+v", got)
	}
}

func TestTheZoneIsThatOfTheVariableOrElseOfTheMachine(t *testing.T) {
	tokyo := machine{cpus: 1, memory: 1 << 30, zone: localZone{name: "Asia/Tokyo"}}
	unknown := machine{cpus: 1, memory: 1 << 30, zone: localZone{fault: "it is of no zone"}}
	for _, row := range []struct {
		about    string
		machine  machine
		variable string
		want     string
		warnings int
	}{
		{"nothing is set", testMachine, "", "", 0},
		{"the machine has one", tokyo, "", "Asia/Tokyo", 0},
		{"the variable names one", tokyo, "Europe/Lisbon", "Europe/Lisbon", 0},
		{"the variable is UTC", tokyo, "UTC", "UTC", 0},
		{"as libc reads it", tokyo, ":" + hostinfo.ZoneData + "/America/Sao_Paulo", "America/Sao_Paulo", 0},
		{"the variable names the machine's", tokyo, ":/etc/localtime", "Asia/Tokyo", 0},
		{"the machine's has no name", unknown, "", "", 1},
		{"it has none and the variable has one", unknown, "Asia/Tokyo", "Asia/Tokyo", 0},
	} {
		getenv := func(name string) (string, bool) {
			if name == "TZ" {
				return row.variable, true
			}
			return "", false
		}
		c, err := load(getenv, nil, row.machine)
		if err != nil {
			t.Fatalf("%s: %v", row.about, err)
		}
		if c.TimeZone != row.want || len(c.Warnings) != row.warnings {
			t.Errorf("%s: got %q and the warnings %q, want %q", row.about, c.TimeZone, c.Warnings, row.want)
		}
	}
}
