package main

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// version and revision are set by the linker: -X main.version=v1.2.3 -X main.revision=COMMIT. A build without them takes what Go stamps.
var version, revision string

// build is what this program was built from.
type build struct {
	version, revision, goVersion string
}

func thisBuild() build {
	b := build{version: version, revision: revision, goVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.revision = cmp.Or(b.revision, setting.Value)
			}
		}
		b.version = cmp.Or(b.version, info.Main.Version)
	}
	b.revision = cmp.Or(b.revision, "unknown")
	if b.version == "" || b.version == "(devel)" {
		b.version = b.revision
	}
	return b
}

// String is for people: "v1.2.3 (revision 0123abc, go1.26)".
func (b build) String() string {
	return b.version + " (revision " + b.revision + ", " + b.goVersion + ")"
}
