package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// tree is the directory that holds what is built. Nothing in it is a link.
type tree struct {
	root string
	left int64 // how many bytes packages may still unpack to
	// files are the paths of the author's own files.
	files []string
	// configs are the paths of each tsconfig.json that counts, and warnings what is told about them.
	configs  []string
	warnings []Message
}

// receive puts everything in its place. Files come first in the request and win over packages of the same path.
func (t *tree) receive(in io.Reader, head *Head) error {
	contents := make([][]byte, len(head.Files))
	for i, file := range head.Files {
		content, err := readBlob(in, file.Size)
		if err != nil {
			return fmt.Errorf("request: %s: %w", file.Path, err)
		}
		contents[i] = content
		t.files = append(t.files, file.Path)
	}
	if err := t.unpackAll(in, "", head.Packages); err != nil {
		return err
	}
	for i := range head.Modules {
		if err := t.receiveModule(in, &head.Modules[i]); err != nil {
			return err
		}
	}
	for i, file := range head.Files {
		if err := t.write(file.Path, contents[i]); err != nil {
			return err
		}
	}
	return t.confineConfigs()
}

// receiveModule installs a shared module like a package.
func (t *tree) receiveModule(in io.Reader, module *Module) error {
	dir := path.Join("node_modules", module.Name)
	var paths []string
	var described []byte
	for _, file := range module.Files {
		content, err := readBlob(in, file.Size)
		if err != nil {
			return fmt.Errorf("request: %s: %w", module.Name, err)
		}
		paths = append(paths, file.Path)
		if file.Path == "package.json" {
			described = content
		}
		if err := t.write(path.Join(dir, file.Path), content); err != nil {
			return err
		}
	}
	entry, err := chooseEntry(module.Entry, paths, described)
	if err != nil {
		return prefixed(err, dir)
	}
	text, err := describe(described, entry)
	if err != nil {
		return prefixed(err, dir)
	}
	if err := t.write(path.Join(dir, "package.json"), text); err != nil {
		return err
	}
	return t.unpackAll(in, dir, module.Packages)
}

// describe is a package.json that leads to entry, and has of the other one what else counts.
func describe(described []byte, entry string) ([]byte, error) {
	fields := map[string]json.RawMessage{}
	if len(described) > 0 {
		if err := json.Unmarshal(described, &fields); err != nil {
			return nil, faultIn("package.json", "it is not a JSON object: "+err.Error(), "")
		}
	}
	for _, name := range []string{"exports", "module", "browser"} {
		delete(fields, name)
	}
	main, err := json.Marshal("./" + entry)
	if err != nil {
		return nil, err
	}
	fields["main"] = main
	return json.Marshal(fields)
}

// prefixed puts dir before the file of each message of err.
func prefixed(err error, dir string) error {
	if fault := (*faultError)(nil); errors.As(err, &fault) {
		for i := range fault.messages {
			fault.messages[i].File = path.Join(dir, fault.messages[i].File)
		}
	}
	return err
}

// write writes one file, and the directories that lead to it. The server has checked names; a name that leads out of
// the tree is refused here all the same.
func (t *tree) write(name string, content []byte) error {
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "\x00\\") {
		return faultIn(name, leadsOut, "use relative paths without ..")
	}
	switch base := path.Base(name); {
	case base == "package.json":
		var err error
		if content, err = confinedPackage(name, content); err != nil {
			return err
		}
	case strings.HasPrefix(base, ".pnp."):
		return faultIn(name, "files of Plug'n'Play are not available", "upload package-lock.json instead")
	case isConfig(name):
		t.configs = append(t.configs, path.Clean(name))
	}
	return t.put(name, content)
}

// put writes one file as it is.
func (t *tree) put(name string, content []byte) error {
	at := filepath.Join(t.root, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return writeFault(name, err)
	}
	if err := os.WriteFile(at, content, 0o600); err != nil {
		return writeFault(name, err)
	}
	return nil
}

// writeFault is what the failure to write a file says about the files.
func writeFault(name string, err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EFBIG):
		return tooLargeError("all files and packages together take more room than a build has")
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EISDIR), errors.Is(err, unix.EEXIST):
		return faultIn(name, "a file and a directory have the same name", "rename one of them")
	case errors.Is(err, unix.ENAMETOOLONG):
		return faultIn(name, "the path is too long", "")
	}
	return err
}

// exists says whether there is something at a path of the tree.
func (t *tree) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(t.root, name))
	return err == nil
}
