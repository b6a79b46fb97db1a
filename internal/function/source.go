package function

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strconv"
)

// Source is what a function was built from. Stores keep it beside the function and read it only when it is asked for.
type Source struct {
	// Entry is the path of the file with the handler as the deploy named it; empty when it named none.
	Entry string
	// Files are the contents of the files by their paths, which have "/" between their parts.
	Files map[string][]byte
	// Map is the source map of the artefact as JSON; nil when there is none.
	Map []byte
	// Artefact is the Hash of the artefact that Map belongs to. Stores set it.
	Artefact string
}

// Hash is the lower-case hex SHA-256 of entry and files. It tells whether two deploys have the same source.
func (s *Source) Hash() string {
	sum := sha256.New()
	put := func(text string) {
		_, _ = io.WriteString(sum, strconv.Itoa(len(text))+":"+text) // a hash never fails
	}
	put(s.Entry)
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		put(path)
		put(string(s.Files[path]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// List describes the files in the order of their paths.
func (s *Source) List() []File {
	list := make([]File, 0, len(s.Files))
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		sum := sha256.Sum256(s.Files[path])
		list = append(list, File{Path: path, Size: int64(len(s.Files[path])), Hash: hex.EncodeToString(sum[:])})
	}
	return list
}

// Clone returns a copy that shares nothing with s but the bytes of the files, which nobody changes; nil stays nil.
func (s *Source) Clone() *Source {
	if s == nil {
		return nil
	}
	c := *s
	c.Files = maps.Clone(s.Files)
	return &c
}

// File describes one file of a Source.
type File struct {
	Path string `json:"path"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// Hash is the lower-case hex SHA-256 of the content.
	Hash string `json:"hash"`
}
