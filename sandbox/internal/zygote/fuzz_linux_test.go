package zygote

import (
	"testing"
)

func FuzzReportsAreReadOrRefused(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, reportSize))
	f.Add(make([]byte, reportSize+1))
	f.Fuzz(func(t *testing.T, msg []byte) {
		r, err := parseReport(msg)
		if (err == nil) != (len(msg) == reportSize) {
			t.Errorf("a report of %d bytes: %v", len(msg), err)
		}
		if err != nil && r != (report{}) {
			t.Errorf("what is no report is read as %+v", r)
		}
	})
}
