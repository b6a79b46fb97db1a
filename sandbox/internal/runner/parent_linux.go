package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// parent returns a folder that belongs to this process's user alone, and makes it if need be: in the user's cache, or
// in the one for temporary files where there is no home, or none that can be written to or trusted.
func parent() (string, error) {
	var faults []error
	candidates := []string{filepath.Join(os.TempDir(), "functions-sandbox-"+strconv.Itoa(os.Geteuid()))}
	if cache, err := os.UserCacheDir(); err == nil {
		candidates = append([]string{filepath.Join(cache, "functions-sandbox")}, candidates...)
	}
	for _, dir := range candidates {
		dir, err := makePrivate(dir)
		if err == nil {
			return dir, nil
		}
		faults = append(faults, err)
	}
	return "", errors.Join(faults...)
}

// makePrivate makes dir if it is not there, and fails when anybody else could change what is in it. It returns dir
// without symbolic links, which may lie where others can make them lead elsewhere later.
func makePrivate(dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s is not an absolute path", dir)
	}
	dir, err := resolve(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || ownerOf(info) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s is not a folder of this user's alone (%v): remove it", dir, info.Mode())
	}
	// Folders above it that were not there may be somebody's who was faster.
	return dir, trusted(filepath.Dir(dir))
}

// resolve returns dir with no symbolic links in what exists above it, and fails when that is not trusted: nothing is
// made in a folder of another user's.
func resolve(dir string) (string, error) {
	above, below := filepath.Dir(dir), filepath.Base(dir)
	for {
		resolved, err := filepath.EvalSymlinks(above)
		if err == nil {
			return filepath.Join(resolved, below), trusted(resolved)
		}
		if !errors.Is(err, fs.ErrNotExist) || above == filepath.Dir(above) {
			return "", err
		}
		above, below = filepath.Dir(above), filepath.Join(filepath.Base(above), below)
	}
}

// trusted fails when another user than root could put something else in the place of a folder below dir: rename(2) asks
// for the right to write to the folder above, and, if that is sticky, to own what is renamed.
func trusted(dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder (%v)", dir, info.Mode())
		}
		if owner := ownerOf(info); owner != 0 && owner != os.Geteuid() {
			return fmt.Errorf("%s belongs to user %d", dir, owner)
		}
		if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("others may write to %s", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

func ownerOf(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
