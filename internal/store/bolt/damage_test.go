package bolt_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// stored returns the bytes of a store's file with some hundred kilobytes of functions in it.
func stored(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 20 {
		code := "// marker " + strconv.Itoa(i) + strings.Repeat(" ", 10_000)
		put(t, s, function.Ref{Namespace: "ns" + strconv.Itoa(i%3), ID: strconv.Itoa(i)}, code, nil)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "functions.db"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// each changes all pages with these flags, those of earlier transactions too.
func each(flags uint16, change func(page []byte, id uint64)) func([]byte) []byte {
	size := os.Getpagesize()
	return func(file []byte) []byte {
		for id := uint64(2); int(id) < len(file)/size; id++ {
			page := file[int(id)*size:][:size]
			if binary.NativeEndian.Uint64(page) == id && binary.NativeEndian.Uint16(page[8:]) == flags {
				change(page, id)
			}
		}
		return file
	}
}

func TestADamagedFileIsNamedAndLeftAlone(t *testing.T) {
	sound := stored(t)
	const branch, leaf, free = 1, 2, 16 // flags of pages
	put16, put64 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint64
	page := os.Getpagesize()
	for name, damage := range map[string]func([]byte) []byte{
		"not a database":                  func([]byte) []byte { return bytes.Repeat([]byte("text "), 10_000) },
		"a few bytes":                     func([]byte) []byte { return []byte("x") },
		"cut short":                       func(b []byte) []byte { return b[:5*page] },
		"cut to its head":                 func(b []byte) []byte { return b[:2*page] },
		"both heads zeroed":               func(b []byte) []byte { clear(b[:2*page]); return b },
		"body zeroed":                     func(b []byte) []byte { clear(b[2*page:]); return b },
		"body overwritten":                func(b []byte) []byte { copy(b[2*page:], bytes.Repeat([]byte{0xff}, len(b))); return b },
		"a branch that leads to itself":   each(branch, func(page []byte, id uint64) { put64(page[24:], id) }),
		"a branch that leads nowhere":     each(branch, func(page []byte, _ uint64) { put64(page[24:], 1<<60) }),
		"a branch with too many elements": each(branch, func(page []byte, _ uint64) { put16(page[10:], 1<<16-1) }),
		"a branch without elements": each(branch, func(page []byte, id uint64) {
			put16(page[10:], 0)
			put64(page[24:], id)
		}),
		"a key of a branch beyond its end": each(branch, func(page []byte, _ uint64) { page[23] = 0x7f }),
		"a value beyond the end":           each(leaf, func(page []byte, _ uint64) { page[31] = 0x7f }),
		"a leaf that is none":              each(leaf, func(page []byte, _ uint64) { page[8] = 64 }),
		"a list of free pages too long": each(free, func(page []byte, _ uint64) {
			put16(page[10:], 1<<16-1)
			put64(page[16:], 1<<40)
		}),
		"a free page that is not there": each(free, func(page []byte, _ uint64) { put64(page[16:], 1<<40) }),
		"a free page that is in use":    each(free, func(page []byte, id uint64) { put64(page[16:], id) }),
		"a bucket that is none":         each(leaf, func(page []byte, _ uint64) { page[16] &^= 1 }),
		"a list of free pages that is none": each(free, func(page []byte, id uint64) {
			page[8] = 64
			put64(page[16:], id)
		}),
		"a record destroyed": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"code":"// marker 7`), []byte(`"code":7// marker 7`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "functions.db")
			damaged := damage(bytes.Clone(sound))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := bolt.Open(dir)
			if err == nil {
				_ = s.Close()
				t.Fatal("a damaged file was opened")
			}
			wantText(t, err, path, "functions backup")
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestAnyOverwrittenPageIsAnErrorOrHarmless(t *testing.T) {
	sound := stored(t)
	page := os.Getpagesize()
	for at := 0; at+page <= len(sound); at += page {
		dir := t.TempDir()
		damaged := bytes.Clone(sound)
		copy(damaged[at:at+page], bytes.Repeat([]byte{0xa5}, page))
		if err := os.WriteFile(filepath.Join(dir, "functions.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(dir)
		if err != nil {
			continue
		}
		if list, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 100}); err != nil || list.Total != 20 {
			t.Errorf("page %d overwritten: %+v, %v", at/page, list, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
