package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/backstage/functions/internal/smallfile"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// localTime is the file of the machine's own time zone: localtime(5).
const localTime = "/etc/localtime"

// maxZone is the largest file of a zone, in bytes: those of the database have at most a few thousand.
const maxZone = 256 << 10

// utc is the zone of workers that get none.
const utc = "UTC"

// zoneName matches a name of the time zone database. Its directory also has other files, and zones with leap seconds,
// which no runtime supports.
var (
	zoneName = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`)
	noZone   = regexp.MustCompile(`^(localtime|posixrules|Factory|right/.*)$`)
	// region matches the beginning of names in common use; the others are old names or offsets.
	region = regexp.MustCompile(`^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/`)
)

var errZone = errors.New("must be a name of the time zone database, such as America/Sao_Paulo, with its file in " +
	hostinfo.ZoneData + " (package tzdata)")

// zone reads the name of a time zone in the forms that libc accepts: with a colon in front, or as the path of its file.
func zone(target func(*Config) *string) parser {
	read := func(c *Config, text string) error {
		name := strings.TrimPrefix(strings.TrimSpace(text), ":")
		if name == localTime {
			*target(c) = c.machine.zone.name
			return nil
		}
		name = strings.TrimPrefix(name, hostinfo.ZoneData+"/")
		if !IsZone(name) {
			return errZone
		}
		*target(c) = name
		return nil
	}
	within := []string{
		"America/Sao_Paulo", "UTC", ":Europe/Lisbon", hostinfo.ZoneData + "/Asia/Tokyo", "Etc/GMT+3", ":" + localTime,
	}
	beyond := []string{
		"BRT3", "America", "America/Nowhere", "america/sao_paulo", "../../../etc/passwd", "/etc/passwd", "localtime",
		"right/UTC", "zone.tab", " ",
	}
	return past(read, within, beyond)
}

// IsZone says whether the machine has a time zone of that name.
func IsZone(name string) bool { return name == utc || isZone(name) }

// isZone says whether the machine's database has a zone of that name.
func isZone(name string) bool {
	if !isZoneName(name) {
		return false
	}
	content, err := smallfile.Read(filepath.Join(hostinfo.ZoneData, name), maxZone)
	return err == nil && bytes.HasPrefix(content, []byte("TZif"))
}

func isZoneName(name string) bool { return zoneName.MatchString(name) && !noZone.MatchString(name) }

// localZone is the time zone of a machine: its name, empty for UTC and for none, and what is wrong with it.
type localZone struct{ name, fault string }

// findZone finds the zone of file, which is a symbolic link into the database or a copy of one of its files.
func findZone(file string) localZone {
	const then = ": functions see UTC; set TZ to a name such as America/Sao_Paulo"
	content, err := smallfile.Read(file, maxZone)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && isUTC(content): // a missing file means UTC
		return localZone{}
	case err != nil:
		return localZone{fault: "the machine's time zone is not known, " + err.Error() + then}
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		if _, name, found := strings.Cut(target, "/zoneinfo/"); found && isZone(name) {
			return localZone{name: name}
		}
	}
	if name := nameOf(content); name != "" {
		return localZone{name: name}
	}
	return localZone{fault: file + " is of no time zone in " + hostinfo.ZoneData + then}
}

func isUTC(content []byte) bool {
	want, err := smallfile.Read(filepath.Join(hostinfo.ZoneData, "Etc/UTC"), maxZone)
	return err == nil && bytes.Equal(content, want)
}

// nameOf is the zone whose file has this content, one of a region if possible; empty if there is none.
func nameOf(content []byte) string {
	found := ""
	// A file that cannot be read is not it.
	_ = filepath.WalkDir(hostinfo.ZoneData, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		name := strings.TrimPrefix(path, hostinfo.ZoneData+"/")
		if found != "" && !region.MatchString(name) || !isZoneName(name) {
			return nil
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(len(content)) {
			return nil
		}
		if same, err := smallfile.Read(path, maxZone); err == nil && bytes.Equal(same, content) {
			if found = name; region.MatchString(name) {
				return fs.SkipAll
			}
		}
		return nil
	})
	return found
}
