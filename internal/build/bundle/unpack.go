package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Limits on one package.
const (
	// maxPackage bounds what is unpacked of it, in bytes, and maxStream what its tarball decompresses to.
	maxPackage, maxStream = 50 << 20, 256 << 20
	// maxEntries bounds the entries of its tarball, and maxDepth the directories around a file.
	maxEntries, maxDepth = 20_000, 32
)

// unpacked are the kinds of files that bundles are made of. Whatever else a package has is left out: types, source
// maps, native add-ons, documents.
var unpacked = []string{".js", ".cjs", ".mjs", ".json", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".wasm"}

// isUnpacked says whether a file of a package may be part of a bundle.
func isUnpacked(name string) bool {
	for _, types := range []string{".d.ts", ".d.cts", ".d.mts"} {
		if strings.HasSuffix(name, types) {
			return false
		}
	}
	return slices.Contains(unpacked, path.Ext(name))
}

// unpackAll unpacks packages below dir.
func (t *tree) unpackAll(in io.Reader, dir string, packages []Tarball) error {
	for _, p := range packages {
		if p.Size < 0 || p.Size > MaxFile {
			return errors.New("request: a tarball of an impossible size")
		}
		limited := &io.LimitedReader{R: in, N: p.Size}
		if err := t.unpack(limited, path.Join(dir, p.Path)); err != nil {
			var large tooLargeError
			if fault := (*faultError)(nil); errors.As(err, &fault) || errors.As(err, &large) {
				return named(err, p)
			}
			return named(faultIn("", "its tarball cannot be read: "+err.Error(), ""), p)
		}
		if _, err := io.Copy(io.Discard, limited); err != nil {
			return err
		}
		if limited.N > 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// named says in err which package it is about.
func named(err error, p Tarball) error {
	name := p.Name + "@" + p.Version
	var large tooLargeError
	if errors.As(err, &large) {
		return tooLargeError("package " + name + ": " + string(large))
	}
	if fault := (*faultError)(nil); errors.As(err, &fault) {
		fault.messages[0].Text = "package " + name + ": " + fault.messages[0].Text
	}
	return err
}

// unpack unpacks one tarball into dir. npm leaves the first directory of each path out, and so does this.
func (t *tree) unpack(in io.Reader, dir string) error {
	zipped, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	stream := &io.LimitedReader{R: zipped, N: maxStream}
	reader := tar.NewReader(stream)
	room := int64(maxPackage)
	for entries := 0; ; entries++ {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF) && stream.N > 0:
			return nil
		case stream.N <= 0:
			return tooLargeError(fmt.Sprintf("it unpacks to more than %d MiB", maxStream>>20))
		case err != nil:
			return err
		case entries >= maxEntries:
			return tooLargeError(fmt.Sprintf("it has more than %d files", maxEntries))
		}
		name, ok, err := wanted(header)
		if err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		if room -= header.Size; room < 0 {
			return tooLargeError(fmt.Sprintf("its code takes more than %d MiB", maxPackage>>20))
		}
		if t.left -= header.Size; t.left < 0 {
			return tooLargeError("the code of all packages together takes more room than a build has")
		}
		content, err := io.ReadAll(io.LimitReader(reader, header.Size))
		if err != nil {
			return err
		}
		if err := t.write(path.Join(dir, name), content); err != nil {
			return err
		}
	}
}

// wanted is the path of an entry in its package, and whether it is unpacked.
func wanted(header *tar.Header) (name string, ok bool, err error) {
	switch header.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir, tar.TypeXGlobalHeader, tar.TypeXHeader:
		return "", false, nil
	default:
		return "", false, faultIn("", fmt.Sprintf("%.100q is no plain file", header.Name), "links and devices are refused")
	}
	_, name, cut := strings.Cut(strings.TrimPrefix(header.Name, "./"), "/")
	if !cut || !filepath.IsLocal(name) || strings.ContainsAny(header.Name, "\x00\\") ||
		slices.Contains(strings.Split(header.Name, "/"), "..") {
		return "", false, faultIn("", fmt.Sprintf("%.100q leads out of the package", header.Name), "")
	}
	if strings.Count(name, "/") > maxDepth {
		return "", false, faultIn("", fmt.Sprintf("%.100q is nested more than %d deep", header.Name, maxDepth), "")
	}
	return path.Clean(name), header.Size > 0 && isUnpacked(name), nil
}
