package bundle

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Request and answer have the same form: a length of four bytes, a head of so many bytes in JSON, and after it the
// contents that the head gives sizes of, in its order.
//
//	server                                         child
//	  │ head, files, tarballs, files of modules ────▶│ unpacks, builds
//	  │◀──────────────────────── head, code, map ────│ exits

// Limits of the child, whatever it is asked for.
const (
	// MaxHead bounds a head, in bytes.
	MaxHead = 16 << 20
	// MaxFile bounds one file or tarball, in bytes.
	MaxFile = 64 << 20
)

// Head is the head of a request.
type Head struct {
	Target   Target    `json:"target"`
	Entry    string    `json:"entry,omitempty"`
	External []string  `json:"external,omitempty"`
	Files    []Blob    `json:"files"`
	Packages []Tarball `json:"packages,omitempty"`
	Modules  []Module  `json:"modules,omitempty"`
	// Memory is what the child may use, in bytes.
	Memory int64 `json:"memory"`
	// MaxCode bounds the result, in bytes, and MaxUnpacked all files of all packages.
	MaxCode     int   `json:"maxCode"`
	MaxUnpacked int64 `json:"maxUnpacked"`
}

// Blob announces a file.
type Blob struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// Tarball announces an npm package: where it is installed, and the size of its tarball.
type Tarball struct {
	Path    string `json:"path"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Size    int64  `json:"size"`
}

// Module announces a shared module.
type Module struct {
	Name     string    `json:"name"`
	Entry    string    `json:"entry,omitempty"`
	Files    []Blob    `json:"files"`
	Packages []Tarball `json:"packages,omitempty"`
}

// Answer is the head of an answer.
type Answer struct {
	// Errors are faults of the files. TooLarge says which limit they exceed. There is a result when there is neither.
	Errors   []Message `json:"errors,omitempty"`
	TooLarge string    `json:"tooLarge,omitempty"`
	Warnings []Message `json:"warnings,omitempty"`
	Web      bool      `json:"web,omitempty"`
	// Code and Map are sizes.
	Code int `json:"code,omitempty"`
	Map  int `json:"map,omitempty"`
}

// AppendHead appends the head of a request or of an answer to b.
func AppendHead(b []byte, head any) ([]byte, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	if len(text) > MaxHead {
		return nil, fmt.Errorf("a head of %d bytes", len(text))
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...), nil
}

// ReadHead reads what AppendHead has made.
func ReadHead(r io.Reader, head any) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return fmt.Errorf("no head: %w", err)
	}
	length := binary.BigEndian.Uint32(size[:])
	if length > MaxHead {
		return fmt.Errorf("a head of %d bytes", length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return fmt.Errorf("a part of a head: %w", err)
	}
	return json.Unmarshal(text, head)
}

// readBlob reads a content of so many bytes.
func readBlob(r io.Reader, size int64) ([]byte, error) {
	if size < 0 || size > MaxFile {
		return nil, errors.New("a content of an impossible size")
	}
	content := make([]byte, size)
	_, err := io.ReadFull(r, content)
	return content, err
}
