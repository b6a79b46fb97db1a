package function_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// packed is what write puts into an archive, compressed by gzip.
func packed(t testing.TB, write func(*tar.Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	write(w)
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPackedSourcesComeBack(t *testing.T) {
	source := &function.Source{
		Entry: "a.ts", Files: map[string][]byte{"a.ts": []byte("1"), "b/c": nil, strings.Repeat("long/", 60) + "d": []byte("2")},
		Map: []byte("{}"),
	}
	first, err := source.Pack()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := source.Pack()
	if !bytes.Equal(first.Files, second.Files) || !bytes.Equal(first.Map, second.Map) {
		t.Error("the same source was packed in two ways")
	}
	got, err := first.Unpack(&function.Artefact{Entry: "a.ts", Hash: "h"}, 1<<20)
	if err != nil || got.Entry != source.Entry || got.Artefact != "h" || string(got.Map) != "{}" ||
		!maps.EqualFunc(got.Files, source.Files, bytes.Equal) {
		t.Errorf("got %+v, %v", got, err)
	}
	if nothing, err := (*function.Source)(nil).Pack(); err != nil || nothing.Files != nil || nothing.Map != nil {
		t.Errorf("no source is packed as %v, %v", nothing, err)
	}
}

func TestSourcesThatOthersWroteCostLittle(t *testing.T) {
	const most = 1 << 16
	zeros := bytes.Repeat([]byte{0}, 8<<20)
	for name, files := range map[string][]byte{
		"no gzip": []byte("PK"),
		"no tar":  packedBytes(t, bytes.Repeat([]byte("x"), 2000)),
		"a bomb":  packedBytes(t, zeros),
		"a large file": packed(t, func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{Name: "a", Size: int64(len(zeros)), Typeflag: tar.TypeReg})
			_, _ = w.Write(zeros)
		}),
		"a sparse file": packedBytes(t, sparse(t)),
		"many files": packed(t, func(w *tar.Writer) {
			for i := range function.MaxFiles + 1 {
				_ = w.WriteHeader(&tar.Header{Name: strconv.Itoa(i), Typeflag: tar.TypeReg})
			}
		}),
	} {
		_, err := function.Packed{Files: files}.Unpack(&function.Artefact{}, most)
		if !errors.Is(err, function.ErrDamagedSource) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (function.Packed{Map: packedBytes(t, zeros)}).Unpack(&function.Artefact{}, most); !errors.Is(
		err, function.ErrDamagedSource,
	) {
		t.Errorf("a map that is a bomb: %v", err)
	}
}

func packedBytes(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sparse is an archive whose one file is said to be of a terabyte, of which nothing is there (GNU tar, PAX 1.0).
func sparse(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	body := "0\n" + strings.Repeat("\x00", 510)
	records := "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=a\n37 GNU.sparse.realsize=1099511627776\n"
	if err := w.WriteHeader(&tar.Header{Name: "x", Size: int64(len(records)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(records))
	if err := w.WriteHeader(&tar.Header{Name: "y", Size: int64(len(body)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(body))
	_ = w.Close()
	text := out.Bytes()
	text[156] = tar.TypeXHeader // the first entry describes the second
	sum := 8 * int(' ')         // the checksum counts as spaces
	for i, c := range text[:512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(text[148:156], fmt.Sprintf("%06o\x00 ", sum))
	header, err := tar.NewReader(bytes.NewReader(text)).Next()
	if err != nil || header.Size != 1<<40 {
		t.Fatalf("the archive holds %+v, %v", header, err)
	}
	return text
}

func FuzzPackedSourcesAreReadSafely(f *testing.F) {
	source := &function.Source{Files: map[string][]byte{"a": []byte("1")}, Map: []byte("{}")}
	p, err := source.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Files, p.Map)
	f.Add(packedBytes(f, sparse(f)), []byte{})
	f.Fuzz(func(t *testing.T, files, sourceMap []byte) {
		const most = 1 << 12
		got, err := function.Packed{Files: files, Map: sourceMap}.Unpack(&function.Artefact{}, most)
		if err != nil {
			return
		}
		total := 0
		for _, content := range got.Files {
			total += len(content)
		}
		if total > most+(function.MaxFiles+1)*(4<<10) || len(got.Map) > most {
			t.Errorf("read %d and %d bytes", total, len(got.Map))
		}
	})
}
