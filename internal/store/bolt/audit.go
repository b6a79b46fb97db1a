package bolt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
)

// auditEntry is a stored record.
type auditEntry struct {
	Group  string          `json:"group,omitempty"`
	Record json.RawMessage `json:"record"`
}

func parseAudit(key, text []byte) (r audit.Record, err error) {
	var e auditEntry
	if err := json.Unmarshal(text, &e); err != nil {
		return r, err
	}
	if r, err = audit.Parse(e.Record); err != nil {
		return r, err
	}
	r.Group = e.Group
	if len(key) == 8 {
		r.ID = strconv.FormatUint(binary.BigEndian.Uint64(key), 10)
	}
	return r, nil
}

// AppendAudit adds records, and drops what keep does not allow.
func (s *Store) AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error {
	return s.update(ctx, "append audit", function.Change{}, func(tx *bbolt.Tx) error {
		all := tx.Bucket(auditBucket)
		total := all.Stats().KeyN + len(records) // which does not see what is written here
		for _, r := range records {
			number, err := all.NextSequence()
			if err != nil {
				return err
			}
			text, err := json.Marshal(auditEntry{r.Group, r.JSON()})
			if err != nil {
				return err
			}
			if err := all.Put(auditKey(number), text); err != nil {
				return err
			}
		}
		old, err := dropOldAudit(all, time.Now().Add(-keep.Age))
		if err != nil || total-old <= keep.Slack() {
			return err
		}
		return evictAudit(all, keep.Records)
	})
}

func auditKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// dropOldAudit drops the records from before oldest, up to the first one that is not, and says how many.
func dropOldAudit(all *bbolt.Bucket, oldest time.Time) (int, error) {
	var drop [][]byte
	c := all.Cursor()
	for key, text := c.First(); key != nil; key, text = c.Next() {
		if r, err := parseAudit(key, text); err == nil && !r.Time.Before(oldest) {
			break
		}
		drop = append(drop, key)
	}
	return len(drop), deleteAudit(all, drop)
}

// evictAudit drops records so that most are left.
func evictAudit(all *bbolt.Bucket, most int) error {
	var keys [][]byte
	var groups []string
	err := all.ForEach(func(key, text []byte) error {
		var e auditEntry
		_ = json.Unmarshal(text, &e) // else it is of no group
		keys, groups = append(keys, key), append(groups, e.Group)
		return nil
	})
	if err != nil {
		return err
	}
	var drop [][]byte
	for _, i := range audit.Evict(groups, most) {
		drop = append(drop, keys[i])
	}
	return deleteAudit(all, drop)
}

func deleteAudit(all *bbolt.Bucket, keys [][]byte) error {
	for _, key := range keys {
		if err := all.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// Audit returns a page of records, the newest first.
func (s *Store) Audit(ctx context.Context, q audit.Query) (page audit.Page, err error) {
	err = s.view(ctx, "audit", func(tx *bbolt.Tx) error {
		c := tx.Bucket(auditBucket).Cursor()
		key, text := c.Last()
		if q.Before != "" {
			number, err := strconv.ParseUint(q.Before, 10, 64)
			if err != nil {
				return audit.ErrCursor
			}
			if at, _ := c.Seek(auditKey(number)); at != nil {
				key, text = c.Prev()
			} else {
				key, text = c.Last()
			}
		}
		for ; key != nil; key, text = c.Prev() {
			r, err := parseAudit(key, text)
			if err != nil {
				return err
			}
			if !q.Matches(r) {
				continue
			}
			if page.More = len(page.Items) == q.Limit; page.More {
				break
			}
			page.Items = append(page.Items, r)
		}
		return nil
	})
	return page, err
}
