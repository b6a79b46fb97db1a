package runner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Modes of what is unpacked: the workers of a server that runs as root have user IDs of their own and must read it.
const (
	dirMode  fs.FileMode = 0o755
	fileMode fs.FileMode = 0o644
)

// writing is how the names of folders begin that are being written.
const writing = "new-"

// Unpack returns the path of a folder with files and nothing else. It is safe for concurrent use, by processes too.
func Unpack(files fs.FS) (string, error) {
	content, err := read(files)
	if err != nil {
		return "", fmt.Errorf("runner: %w", err)
	}
	above, err := parent()
	if err != nil {
		return "", fmt.Errorf("runner: no folder to unpack to: %w", err)
	}
	dir, err := content.unpack(above)
	if err != nil {
		return "", fmt.Errorf("runner: unpack to %s: %w", above, err)
	}
	return dir, nil
}

// tree holds the contents of files by their names, and nil for folders. The folder itself has the name ".".
type tree map[string][]byte

func read(files fs.FS) (tree, error) {
	t := tree{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			t[name] = nil
			return err
		}
		t[name], err = fs.ReadFile(files, name)
		return err
	})
	return t, err
}

// names are those of all files and folders, a folder before what is in it.
func (t tree) names() []string {
	var names []string
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hash names the contents of the tree.
func (t tree) hash() string {
	sum := sha256.New()
	for _, name := range t.names() {
		fmt.Fprintf(sum, "%q %d\n", name, len(t[name]))
		sum.Write(t[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// unpack is Unpack below a parent that exists.
func (t tree) unpack(above string) (string, error) {
	unlock, err := lock(filepath.Join(above, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(above, t.hash())
	if t.check(dir) == nil {
		return dir, nil
	}
	return dir, errors.Join(t.replace(dir), sweep(above))
}

// lock waits until this process alone holds the lock, which ends with the process at the latest: flock(2).
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = file.Close() }
	for {
		if err = unix.Flock(int(file.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// check fails unless dir holds the tree as write makes it.
func (t tree) check(dir string) error {
	left := len(t)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		left--
		return t.checkEntry(path, filepath.ToSlash(name), entry)
	})
	if err == nil && left != 0 {
		return fmt.Errorf("%d files are missing", left)
	}
	return err
}

func (t tree) checkEntry(path, name string, entry fs.DirEntry) error {
	want, known := t[name]
	info, err := entry.Info()
	if err != nil {
		return err
	}
	mode := fileMode
	if known && want == nil {
		mode = dirMode | fs.ModeDir
	}
	if !known || info.Mode() != mode || ownerOf(info) != os.Geteuid() {
		return fmt.Errorf("%s: %v is not as it was written", path, info.Mode())
	}
	if want == nil {
		return nil
	}
	got, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%s has other contents", path)
	}
	return err
}

// replace writes the tree beside dir and puts it in its place.
func (t tree) replace(dir string) error {
	fresh, err := os.MkdirTemp(filepath.Dir(dir), writing)
	if err != nil {
		return err
	}
	if err := t.write(fresh); err != nil {
		return err
	}
	// What is not the tree is moved away whole, so that no process finds half of it. The sweep removes it.
	if err := os.Rename(dir, fresh+"-old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, dir)
}

// write fills the folder dir. The modes are set apart from the making, which the umask takes bits from.
func (t tree) write(dir string) error {
	for _, name := range t.names() {
		path, mode := filepath.Join(dir, filepath.FromSlash(name)), fileMode
		var err error
		if content := t[name]; content != nil {
			err = os.WriteFile(path, content, mode)
		} else if mode = dirMode; name != "." {
			err = os.Mkdir(path, mode)
		}
		if err := errors.Join(err, os.Chmod(path, mode)); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what processes have left that were killed while they wrote. It needs the lock.
func sweep(above string) error {
	entries, err := os.ReadDir(above)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), writing) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(above, entry.Name())))
		}
	}
	return err
}
