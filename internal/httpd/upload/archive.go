package upload

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
)

// Limits of archives, apart from that of their files.
const (
	// headBytes is what an archive may have beside each file: its header, a long name, and padding.
	headBytes = 4 << 10
	// maxFolders is how many entries may be folders, or describe others.
	maxFolders = 4 * function.MaxFiles
)

// FromArchive reads files from a tar archive that is compressed by gzip. Grow is asked for memory, as that of
// body.Options. Faults are sentences about the archive. An error is TooLarge, body.ErrNoRoom, or one of the caller's
// for data that is no such archive.
func FromArchive(packed []byte, limit int64, grow func(int) bool) (map[string][]byte, []string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, noArchive("gzip", err)
	}
	most := &io.LimitedReader{R: plain, N: limit + (function.MaxFiles+maxFolders)*headBytes}
	files, faults, err := readTar(tar.NewReader(most), &budget{left: limit, limit: limit, grow: grow})
	_, told := errors.AsType[outcome.Teller](err)
	switch {
	case err == nil, told, errors.Is(err, body.ErrNoRoom):
		return files, faults, err
	case most.N <= 0:
		return nil, nil, TooLarge(limit)
	}
	return nil, nil, noArchive("tar", err)
}

func readTar(archive *tar.Reader, spent *budget) (files map[string][]byte, faults []string, err error) {
	files = map[string][]byte{}
	for others := 0; ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if header.Typeflag == tar.TypeDir || header.Typeflag == tar.TypeXGlobalHeader {
			if others++; others > maxFolders {
				return nil, []string{fmt.Sprintf("the archive has more than %d folders", maxFolders)}, nil
			}
			continue
		}
		path := strings.TrimPrefix(header.Name, "./")
		if fault := entryFault(header, path, files); fault != "" {
			if faults = append(faults, fmt.Sprintf("the file %.300q of the archive%s", path, fault)); len(faults) == maxFaults {
				return nil, faults, nil
			}
			continue
		}
		if err := spent.spend(header.Size); err != nil { // before it is read: a sparse file takes no room in the archive
			return nil, nil, err
		}
		if files[path], err = io.ReadAll(archive); err != nil {
			return nil, nil, err
		}
		if len(files) > function.MaxFiles {
			break // FilesFaults tells
		}
	}
	if len(faults) > 0 {
		return nil, faults, nil
	}
	return files, whole("the archive", files), nil
}

// entryFault is the end of a sentence about an entry of an archive.
func entryFault(header *tar.Header, path string, files map[string][]byte) string {
	if header.Typeflag != tar.TypeReg {
		return " is not a plain file: links and devices are not taken"
	}
	if _, twice := files[path]; twice {
		return " is there twice"
	}
	return function.PathFault(path)
}

// noArchive is err, which was met while the form was read, for the caller.
func noArchive(form string, err error) error {
	return outcome.BadRequest("the body is not a tar archive that is compressed by gzip: " +
		form + ": " + strings.TrimPrefix(err.Error(), form+": "))
}
