package runtimes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/backstage/functions/sandbox/hostinfo"
)

// Source opens the tarball of a version of a package and tells how many bytes it has, -1 if that is not known.
type Source func(ctx context.Context, name, version string) (body io.ReadCloser, size int64, err error)

// ErrInstalled means that this version is there already.
var ErrInstalled = errors.New("it is installed already")

// Install fetches pin from source, checks its hash, unpacks its binary and has it tell its version. Only then it
// appears, and older versions of the same name go. When Install fails or the process is killed everything is as before;
// what a killed one has left is removed by the next change. Progress is told from time to time how many bytes of
// how many were fetched. The error may be ErrInstalled or ErrBusy.
func (d Dir) Install(ctx context.Context, pin Pin, source Source, progress func(done, all int64)) (Installed, error) {
	unlock, err := d.lock()
	if err != nil {
		return Installed{}, err
	}
	defer unlock()
	if there, ok, err := d.Find(pin.Name); err != nil || ok && there.Version == pin.Version {
		return there, errors.Join(err, ErrInstalled)
	}
	if err := d.sweep(); err != nil {
		return Installed{}, err
	}
	made, err := os.MkdirTemp(string(d), part)
	if err != nil {
		return Installed{}, err
	}
	defer os.RemoveAll(made) // of what was not moved; the next change tries again
	if err := build(ctx, made, pin, source, progress); err != nil {
		return Installed{}, err
	}
	final := filepath.Join(string(d), pin.Name+"@"+pin.Version)
	if err := d.appear(made, final); err != nil {
		return Installed{}, err
	}
	_, err = d.removeVersions(pin.Name, pin.Version)
	return Installed{pin.Name, pin.Version, filepath.Join(final, "bin", "node")}, errors.Join(err, d.sweep())
}

// build makes in dir what is to be installed.
func build(ctx context.Context, dir string, pin Pin, source Source, progress func(done, all int64)) error {
	tarball := filepath.Join(dir, "package.tgz")
	if err := fetch(ctx, tarball, pin, source, progress); err != nil {
		return err
	}
	if err := unpack(ctx, tarball, dir); err != nil {
		return fmt.Errorf("unpack %s: %w", pin.Package, err)
	}
	if err := os.Remove(tarball); err != nil {
		return err
	}
	version, _, err := hostinfo.NodeVersion(ctx, filepath.Join(dir, "bin", "node"))
	if err != nil {
		return fmt.Errorf("%s %s does not run on this machine, whose system may be too old or too different for it: %w",
			pin.Name, pin.Version, err)
	}
	if version != "v"+pin.Version {
		return fmt.Errorf("its binary is %s", version)
	}
	return nil
}

// appear moves what is complete, and on the disk, to its place.
func (d Dir) appear(made, final string) error {
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(made, "bin"), made} {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(final); err != nil { // what is damaged there
		return err
	}
	if err := os.Rename(made, final); err != nil {
		return err
	}
	return syncDir(string(d))
}

// syncDir has the names in a directory on the disk: fsync(2).
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
