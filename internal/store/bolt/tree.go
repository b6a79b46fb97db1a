package bolt

import (
	"encoding/binary"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// Of a page of bbolt: its header has an ID, flags, the number of its elements and that of its overflow pages. Elements
// of branch pages end with the ID of another page, those of leaf pages lead to a key and a value, by their distance
// from the element and the lengths of both. The value of a bucket begins with the ID of its root page; or with 0, and a
// leaf page without buckets follows. All numbers are in the machine's byte order.
const (
	pageHeader   = 16
	element      = 16
	bucketHeader = 16
	branchPage   = 1
	leafPage     = 2
	bucketValue  = 1
	metaPages    = 2 // at the beginning of the file; they are checked when it is opened
)

// page is a page whose elements begin and whose last value ends there.
type page struct {
	start, end   int64
	flags, count uint16
	overflow     uint32
}

// tree are the pages of a file, which the pages above them name.
type tree struct {
	file     io.ReaderAt
	pageSize int64
	reached  []bool // by page
}

// checkTree checks that no page is reached twice from the root of the file or the list of free pages, nor one that is
// not there, and that what pages have ends within them. The cursors of bbolt would follow pages in a circle until there
// is no memory left, and its own check, which runs in a goroutine of its own, would end the process where a key leads
// out of the file.
func checkTree(tx *bbolt.Tx, file io.ReaderAt) error {
	size := int64(tx.DB().Info().PageSize)
	t := &tree{file: file, pageSize: size, reached: make([]bool, tx.Size()/size)}
	next := []uint64{uint64(tx.Cursor().Bucket().Root())}
	for len(next) > 0 {
		last := len(next) - 1
		below, err := t.visit(next[last])
		if err != nil {
			return err
		}
		next = append(next[:last], below...)
	}
	return t.checkFree(uint64(tx.ID()))
}

// visit returns the pages that a page leads to.
func (t *tree) visit(id uint64) (below []uint64, err error) {
	p, err := t.reachPage(id)
	if err != nil {
		return nil, err
	}
	table, err := t.table(p)
	switch {
	case err != nil:
		return nil, err
	case p.flags == branchPage && p.count > 0:
		return children(p, table)
	case p.flags == leafPage:
		return t.buckets(p, table)
	}
	return nil, fmt.Errorf("%w: page %d has %d elements and the flags %#x", errDamagedFile, id, p.count, p.flags)
}

// reachPage reads the header of a page, and notes that it is reached with its overflow pages.
func (t *tree) reachPage(id uint64) (p page, err error) {
	if err := t.reach(id, 1); err != nil {
		return p, err
	}
	start := int64(id) * t.pageSize
	if p, err = t.page(start, start+t.pageSize); err != nil {
		return p, err
	}
	p.end += int64(p.overflow) * t.pageSize
	return p, t.reach(id+1, uint64(p.overflow))
}

// page reads the header of the page that begins and ends there.
func (t *tree) page(start, end int64) (p page, err error) {
	header := make([]byte, pageHeader)
	if start+pageHeader > end {
		return p, fmt.Errorf("%w: a page at %d is cut off", errDamagedFile, start)
	}
	if _, err := t.file.ReadAt(header, start); err != nil {
		return p, err
	}
	return page{
		start: start + pageHeader, end: end,
		flags: binary.NativeEndian.Uint16(header[8:]), count: binary.NativeEndian.Uint16(header[10:]),
		overflow: binary.NativeEndian.Uint32(header[12:]),
	}, nil
}

// table reads the elements of a page.
func (t *tree) table(p page) ([]byte, error) {
	table := make([]byte, int(p.count)*element)
	if p.start+int64(len(table)) > p.end {
		return nil, fmt.Errorf("%w: a page at %d claims %d elements", errDamagedFile, p.start, p.count)
	}
	_, err := t.file.ReadAt(table, p.start)
	return table, err
}

// children are the pages that a branch page leads to.
func children(p page, table []byte) (ids []uint64, err error) {
	for at := 0; at < len(table); at += element {
		if distance, key := number(table, at), number(table, at+4); p.start+int64(at)+distance+key > p.end {
			return nil, beyondEnd(p)
		}
		ids = append(ids, binary.NativeEndian.Uint64(table[at+8:]))
	}
	return ids, nil
}

// span is a part of a file.
type span struct{ start, end int64 }

// bucketsIn are the values of a leaf page that are buckets.
func bucketsIn(p page, table []byte) (values []span, err error) {
	for at := 0; at < len(table); at += element {
		flags, distance := number(table, at), number(table, at+4)
		value := span{start: p.start + int64(at) + distance + number(table, at+8)}
		value.end = value.start + number(table, at+12)
		if value.end > p.end {
			return nil, beyondEnd(p)
		}
		if flags&bucketValue != 0 {
			values = append(values, value)
		}
	}
	return values, nil
}

// buckets are the roots of the buckets that a leaf page has.
func (t *tree) buckets(p page, table []byte) (roots []uint64, err error) {
	values, err := bucketsIn(p, table)
	for _, value := range values {
		if value.start+bucketHeader > value.end {
			return nil, beyondEnd(p)
		}
		root, err := t.uint64(value.start)
		if err == nil && root == 0 {
			err = t.checkInline(value)
		}
		if err != nil {
			return nil, err
		}
		if root != 0 {
			roots = append(roots, root)
		}
	}
	return roots, err
}

// checkInline checks the page of a bucket that is in its value.
func (t *tree) checkInline(value span) error {
	p, err := t.page(value.start+bucketHeader, value.end)
	if err != nil {
		return err
	}
	table, err := t.table(p)
	if err != nil {
		return err
	}
	inner, err := bucketsIn(p, table)
	if err == nil && (p.flags != leafPage || len(inner) > 0) {
		err = fmt.Errorf("%w: a bucket at %d leads elsewhere", errDamagedFile, p.start)
	}
	return err
}

// number is the one of 32 bits in a table.
func number(table []byte, at int) int64 { return int64(binary.NativeEndian.Uint32(table[at:])) }

func beyondEnd(p page) error {
	return fmt.Errorf("%w: a page at %d has something beyond its end", errDamagedFile, p.start)
}

// reach notes that so many pages from id on are reached.
func (t *tree) reach(id, count uint64) error {
	pages := uint64(len(t.reached))
	if id < metaPages || id > pages || count > pages-id {
		return fmt.Errorf("%w: page %d is not there", errDamagedFile, id)
	}
	for i := range count {
		if t.reached[id+i] {
			return fmt.Errorf("%w: page %d is reached twice", errDamagedFile, id+i)
		}
		t.reached[id+i] = true
	}
	return nil
}
