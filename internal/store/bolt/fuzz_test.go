package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

func FuzzADamagedFileIsRefusedOrCanBeRead(f *testing.F) {
	dir := f.TempDir()
	s, err := bolt.Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 40 { // so many that there are branch pages
		id := strings.Repeat("x", 200) + strconv.Itoa(i)
		ref := function.Ref{Namespace: "ns", ID: id}
		if _, err := s.Put(f.Context(), &function.Function{Ref: ref, Code: "1"}); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	sound, err := os.ReadFile(filepath.Join(dir, "functions.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint(0), []byte("x"))
	f.Add(uint(16), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(uint(4096), bytes.Repeat([]byte{0}, 4096))
	f.Add(uint(3*4096+8), []byte{2, 0, 255, 255, 1})
	f.Add(uint(3*4096+15), []byte("1"))
	f.Add(uint(3*4096+88), []byte("0")) // a bucket within a page that leads elsewhere
	f.Fuzz(func(t *testing.T, at uint, damage []byte) {
		damaged := bytes.Clone(sound)
		copy(damaged[at%uint(len(damaged)):], damage)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "functions.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(dir)
		if err != nil {
			return
		}
		defer s.Close()
		page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range page.Items {
			if _, err := s.Get(t.Context(), ref); err != nil {
				t.Errorf("%s is listed: %v", ref, err)
			}
		}
	})
}
