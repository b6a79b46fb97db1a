package queue

import "testing"

// TestWhoHasMuchIsRefusedLongBeforeWhoHasLittle has the decisions of one limit.
func TestWhoHasMuchIsRefusedLongBeforeWhoHasLittle(t *testing.T) {
	for name, row := range map[string]struct {
		own, more, all, limit int64
		want                  bool
	}{
		"no limit":                     {1000, 1000, 1000, 0, true},
		"half of all":                  {49, 1, 49, 100, true},
		"more than half":               {50, 1, 50, 100, false},
		"as much as is left":           {9, 1, 89, 100, true},
		"one more than is left":        {10, 1, 89, 100, false},
		"few where little is left":     {4, 1, 90, 100, true},
		"many where little is left":    {40, 1, 90, 100, false},
		"the first one takes the rest": {0, 10, 90, 100, true},
		"nothing is left":              {0, 1, 100, 100, false},
		"above the limit":              {0, 1, 120, 100, false},
		"nothing more":                 {90, 0, 120, 100, true},
		"less":                         {90, -5, 120, 100, true},
	} {
		if got := Leaves(row.own, row.more, row.all, row.limit); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
