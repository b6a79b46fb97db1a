package redis

import (
	"context"
	"fmt"
)

const (
	// dropBatch is how many functions of a group lose lines with one round trip.
	dropBatch = 100
	// dropRounds bounds the round trips of one makeRoom.
	dropRounds = 1000
)

// makeRoom frees up to need bytes where the namespace beside is counted. That is more than the waiting lines take, so
// that the next lines find room without another eviction.
func (l *logStore) makeRoom(ctx context.Context, who fullGroup, need int64, beside string) error {
	for range dropRounds {
		left, largest, err := l.drop(ctx, who.group, need, beside)
		if err != nil {
			return err
		}
		if who.total {
			who.group = largest
		}
		if left <= 0 || left == need || who.group == "" {
			return nil
		}
		need = left
	}
	return nil
}

// drop evicts lines of one group. It returns what is left of need, and the group that takes the most.
func (l *logStore) drop(
	ctx context.Context, group string, need int64, beside string,
) (left int64, largest string, err error) {
	tag, ok := l.keys.groupTag(group)
	if !ok { // of a server of other settings
		tag = l.keys.tag(beside)
	}
	if tag != l.keys.tag(beside) {
		return 0, "", fmt.Errorf("unexpected namespace %q in the counts of kept lines", group)
	}
	keys := l.keys.groupCounts(group, tag)
	oldest, err := l.client.ZRange(ctx, keys[0], 0, dropBatch-1).Result()
	if err != nil {
		return 0, "", storeError(ctx, err)
	}
	args := []any{group, need}
	for _, id := range oldest {
		keys = append(keys, l.keys.entryStream(group, tag, id))
		args = append(args, id)
	}
	answer, err := dropScript.Run(ctx, l.client, keys, args...).Slice()
	if err != nil || len(answer) != 2 {
		return 0, "", storeError(ctx, err)
	}
	left, _ = answer[0].(int64)
	return left, field(answer, 1), nil
}
