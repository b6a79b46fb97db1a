//go:build linux && amd64

package rollback

// scanned is a range that is scanned in one go, of areas that are hollow or not.
type scanned struct {
	span
	hollow bool
}

// reserved is the size from which on a mapping without access counts as address space that V8 has reserved: scans skip
// it, for it has no pages.
const reserved = 16 << 20

// findSpans joins mappings that scans can take in one go.
func (s *snapshot) findSpans() {
	open := false
	for i := range s.areas {
		a := &s.areas[i]
		if a.fixed || a.prot == 0 && a.end-a.start > reserved {
			open = false
			continue
		}
		if !open || s.spans[len(s.spans)-1].hollow != a.hollow {
			s.spans = append(s.spans, scanned{span{a.start, a.end}, a.hollow})
		}
		s.spans[len(s.spans)-1].end = a.end
		open = true
	}
}
