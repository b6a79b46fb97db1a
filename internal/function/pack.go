package function

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// ErrDamagedSource marks a stored source that cannot be read. The function runs nevertheless; putting it again mends
// its source.
var ErrDamagedSource = errors.New("the stored source cannot be read: put the function again")

// Packed is a Source as stores keep it beside the record of its function, whose artefact has the entry.
type Packed struct {
	// Files is a tar archive of the files in the order of their paths, without times or owners, compressed by gzip.
	// Map is the source map compressed by gzip. Each is empty for none.
	Files, Map []byte
}

// Pack returns s as stores keep it. Equal sources give equal bytes.
func (s *Source) Pack() (Packed, error) {
	var p Packed
	if s == nil {
		return p, nil
	}
	var err error
	if len(s.Files) > 0 {
		if p.Files, err = compress(s.writeTar); err != nil {
			return p, err
		}
	}
	if len(s.Map) > 0 {
		p.Map, err = compress(func(w io.Writer) error {
			_, err := w.Write(s.Map)
			return err
		})
	}
	return p, err
}

func compress(write func(io.Writer) error) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(write(w), w.Close()); err != nil {
		return nil, fmt.Errorf("pack source: %w", err)
	}
	return out.Bytes(), nil
}

func (s *Source) writeTar(to io.Writer) error {
	w := tar.NewWriter(to)
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		content := s.Files[path]
		header := &tar.Header{Name: path, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return fmt.Errorf("%q: %w", path, err)
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return w.Close()
}

// Unpack is the inverse of Pack, for the function that has artefact. It returns ErrDamagedSource for what Pack did not
// make, and for files or a map of more than most bytes.
func (p Packed) Unpack(artefact *Artefact, most int64) (*Source, error) {
	s := &Source{Entry: artefact.Entry, Artefact: artefact.Hash, Files: map[string][]byte{}}
	if err := s.readTar(p.Files, most); err != nil {
		return nil, fmt.Errorf("%w: files: %w", ErrDamagedSource, err)
	}
	if len(p.Map) > 0 {
		var err error
		if s.Map, err = decompress(p.Map, most); err != nil {
			return nil, fmt.Errorf("%w: source map: %w", ErrDamagedSource, err)
		}
	}
	return s, nil
}

var errTooMuch = errors.New("it is larger than the server reads")

// tarOverhead is what a tar archive has beside the contents of one file, at most; its end has as much.
const tarOverhead = 4 << 10

func (s *Source) readTar(packed []byte, most int64) error {
	if len(packed) == 0 {
		return nil
	}
	plain, err := decompress(packed, most+(MaxFiles+1)*tarOverhead)
	if err != nil {
		return err
	}
	left := int64(len(plain)) // a sparse file is longer than its archive
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if left -= header.Size; left < 0 || len(s.Files) == MaxFiles {
			return errTooMuch
		}
		if s.Files[header.Name], err = io.ReadAll(r); err != nil {
			return err
		}
	}
}

func decompress(packed []byte, most int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(plain)) > most {
		err = errTooMuch
	}
	return plain, err
}
