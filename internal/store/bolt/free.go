package bolt

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Of a meta page: where its fields are, behind the header. It names the page with the list of free pages, or none. That
// page has their IDs, and before them how many there are if that is too much for its header.
const (
	metaFree  = 32
	metaTx    = 48
	metaEnd   = 64
	freePage  = 16
	notKept   = math.MaxUint64
	longCount = math.MaxUint16
)

// checkFree checks the list of free pages of the transaction with that ID. bbolt believes its length.
func (t *tree) checkFree(tx uint64) error {
	id, err := t.freeList(tx)
	if err != nil || id == notKept {
		return err
	}
	p, err := t.reachPage(id)
	if err != nil {
		return err
	}
	if p.flags != freePage {
		return fmt.Errorf("%w: page %d is no list of free pages", errDamagedFile, id)
	}
	count := uint64(p.count)
	if count == longCount {
		if count, err = t.uint64(p.start); err != nil {
			return err
		}
		p.start += 8
	}
	if count > uint64(p.end-p.start)/8 {
		return fmt.Errorf("%w: %d pages are said to be free", errDamagedFile, count)
	}
	ids := make([]byte, 8*count)
	if _, err := t.file.ReadAt(ids, p.start); err != nil {
		return err
	}
	for at := 0; at < len(ids); at += 8 {
		if err := t.reach(binary.NativeEndian.Uint64(ids[at:]), 1); err != nil {
			return err
		}
	}
	return nil
}

// freeList is the page with the list of free pages, as the meta page of the transaction with that ID has it.
func (t *tree) freeList(tx uint64) (id uint64, err error) {
	meta := make([]byte, metaEnd)
	for i := range int64(metaPages) {
		if _, err := t.file.ReadAt(meta, i*t.pageSize+pageHeader); err != nil {
			return 0, err
		}
		if binary.NativeEndian.Uint64(meta[metaTx:]) == tx {
			return binary.NativeEndian.Uint64(meta[metaFree:]), nil
		}
	}
	return 0, fmt.Errorf("%w: no head is of transaction %d", errDamagedFile, tx)
}

func (t *tree) uint64(at int64) (uint64, error) {
	text := make([]byte, 8)
	_, err := t.file.ReadAt(text, at)
	return binary.NativeEndian.Uint64(text), err
}
