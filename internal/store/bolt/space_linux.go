package bolt

import "golang.org/x/sys/unix"

// Space returns how large the file of the store is, and how much its disk has left for this user, in bytes.
func (s *Store) Space() (file, free int64, err error) {
	if file, err = s.size(); err != nil {
		return 0, 0, err
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(s.db.Path(), &disk); err != nil {
		return 0, 0, err
	}
	return file, int64(disk.Bavail) * disk.Bsize, nil
}
