package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// A store holds the code of all functions and the secrets in their variables, and the code is run. So only the server's
// user, root, and a group that was given the right may write to its directory and its file.

// makeDir makes the directory of a store unless it is there, and returns an error that says what to do when it is not
// safe.
func makeDir(dir string) error {
	if target, err := os.Readlink(dir); err == nil {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf(
				"%s is a symbolic link to %s, which is not there: make that directory, or remove the link", dir, target,
			)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	remedy := "name a directory in it, which the server makes for itself"
	if info.Mode()&fs.ModeSticky == 0 { // one like /tmp is for everybody, and has to stay so
		remedy += ", or chmod o-w " + dir
	}
	return safe(dir, info, remedy)
}

// safe returns an error if users who should not may write to the file or directory. Remedy is for one that is
// writable by everybody.
func safe(path string, info fs.FileInfo, remedy string) error {
	if mode := info.Mode().Perm(); mode&0o002 != 0 {
		return fmt.Errorf("everybody may write to %s (mode %04o): %s", path, mode, remedy)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); known && int(owner.Uid) != uid && owner.Uid != 0 {
		return fmt.Errorf(
			"%s belongs to the user %d and the server runs as %d: name another one, or, if it is for this server alone, "+
				"run chown -R %d %s", path, owner.Uid, uid, uid, path,
		)
	}
	return nil
}

// openSafely opens the file of a store as bbolt asks for it, and never through a symbolic link. It takes the rights of
// others to read it away.
func openSafely(path string, flag int, perm fs.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, perm)
	if errors.Is(err, syscall.ELOOP) {
		return nil, errors.New("it is a symbolic link: put the file itself there, or name its directory")
	}
	if err != nil {
		return nil, err
	}
	if err := checkOpened(file, path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func checkOpened(file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if err := safe(path, info, "chmod 600 "+path+", after you have made sure that nobody has changed it"); err != nil {
		return err
	}
	if owner, known := info.Sys().(*syscall.Stat_t); known && int(owner.Uid) == os.Geteuid() &&
		info.Mode().Perm()&0o004 != 0 {
		return file.Chmod(info.Mode().Perm() &^ 0o007)
	}
	return nil
}
