package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/backstage/functions/internal/build/bundle"
)

// request reads as what the child is sent. Tarballs are opened when their time has come.
type request struct {
	parts []io.Reader

	mu     sync.Mutex // guards failed
	failed error
}

// request describes an input and appends its contents.
func (p *Pool) request(in *Input) (*request, error) {
	r := &request{}
	head := bundle.Head{
		Target: in.Target, Entry: in.Entry, External: in.External, Files: r.addFiles(in.Files),
		Memory: p.cfg.Memory, MaxCode: p.cfg.MaxCode, MaxUnpacked: min(maxUnpacked, p.cfg.Memory/3),
	}
	var err error
	if head.Packages, err = r.addPackages(in.Packages); err != nil {
		return nil, err
	}
	for i := range in.Modules {
		m := &in.Modules[i]
		module := bundle.Module{Name: m.Name, Entry: m.Entry, Files: r.addFiles(m.Files)}
		if module.Packages, err = r.addPackages(m.Packages); err != nil {
			return nil, err
		}
		head.Modules = append(head.Modules, module)
	}
	text, err := bundle.AppendHead(nil, &head)
	if err != nil {
		return nil, tooLarge("%v", err)
	}
	r.parts = slices.Insert(r.parts, 0, io.Reader(bytes.NewReader(text)))
	return r, nil
}

func (r *request) addFiles(files map[string][]byte) []bundle.Blob {
	all := make([]bundle.Blob, 0, len(files))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, bundle.Blob{Path: name, Size: int64(len(files[name]))})
		r.parts = append(r.parts, bytes.NewReader(files[name]))
	}
	return all
}

func (r *request) addPackages(packages []Package) (all []bundle.Tarball, err error) {
	for _, p := range packages {
		info, err := os.Stat(p.Tarball)
		if err != nil {
			return nil, fmt.Errorf("build: package %s@%s: %w", p.Name, p.Version, err)
		}
		if info.Size() > bundle.MaxFile {
			return nil, tooLarge("package %s@%s has a tarball of %d bytes, at most %d may be",
				p.Name, p.Version, info.Size(), int64(bundle.MaxFile))
		}
		all = append(all, bundle.Tarball{Path: p.Path, Name: p.Name, Version: p.Version, Size: info.Size()})
		r.parts = append(r.parts, &tarball{path: p.Tarball, left: info.Size()})
	}
	return all, nil
}

// Read implements io.Reader.
func (r *request) Read(p []byte) (int, error) {
	for len(r.parts) > 0 {
		n, err := r.parts[0].Read(p)
		switch {
		case errors.Is(err, io.EOF):
			r.parts = r.parts[1:]
			err = nil
		case err != nil:
			r.fail(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

func (r *request) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
}

// close closes the tarball that a child has read a part of.
func (r *request) close() {
	if len(r.parts) == 0 {
		return
	}
	if t, ok := r.parts[0].(*tarball); ok && t.file != nil {
		_ = t.file.Close() // it may be closed already
	}
}

// fault is what went wrong while the request was read; nil if nothing did.
func (r *request) fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// tarball reads a file of a known size.
type tarball struct {
	path string
	left int64
	file *os.File
}

func (t *tarball) Read(p []byte) (n int, err error) {
	if t.file == nil {
		if t.file, err = os.Open(t.path); err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > t.left {
		p = p[:t.left]
	}
	if t.left > 0 {
		n, err = t.file.Read(p)
		t.left -= int64(n)
	}
	switch {
	case t.left == 0:
		return n, errors.Join(io.EOF, t.file.Close())
	case errors.Is(err, io.EOF):
		return n, errors.Join(io.ErrUnexpectedEOF, t.file.Close())
	}
	return n, err
}
