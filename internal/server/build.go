package server

// Build is what this program was built from.
type Build struct {
	Version, Revision, GoVersion string
}

// String is readable: "v1.2.3 (revision 0123abc, go1.26)".
func (b Build) String() string {
	return b.Version + " (revision " + b.Revision + ", " + b.GoVersion + ")"
}
