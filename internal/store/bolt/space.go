package bolt

import "os"

// size is that of the file.
func (s *Store) size() (int64, error) {
	info, err := os.Stat(s.db.Path())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
