//go:build !linux

package bolt

// Space returns how large the file of the store is, in bytes; what its disk has left is told on Linux alone.
func (s *Store) Space() (file, free int64, err error) {
	file, err = s.size()
	return file, 0, err
}
