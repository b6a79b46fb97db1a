package audit

// Evict returns which records a list loses that has one too many: those of the groups with the most, the oldest of a
// group first, so that a group that writes much loses its own records. Groups has the group of each record, the oldest
// first; no more than most are left.
func Evict(groups []string, most int) (drop []int) {
	counts := map[string]int{}
	for _, group := range groups {
		counts[group]++
	}
	level := levelOf(counts, most)
	for i, group := range groups {
		if len(groups)-len(drop) <= most {
			break
		}
		if counts[group] > level {
			counts[group]--
			drop = append(drop, i)
		}
	}
	return drop
}

// levelOf is the largest number for which groups that are cut to it have no more than most together, but never below 0.
func levelOf(counts map[string]int, most int) int {
	low, high := 0, 0
	for _, n := range counts {
		high = max(high, n)
	}
	for low < high {
		level := (low + high + 1) / 2
		sum := 0
		for _, n := range counts {
			sum += min(n, level)
		}
		if sum <= most {
			low = level
		} else {
			high = level - 1
		}
	}
	return low
}
