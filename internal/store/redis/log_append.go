package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// Upper estimates of what a line, and the first line of a function, take in addition to their texts, in bytes. What
// they really take is measured once they are stored.
const (
	logLineCost     = 128
	logFunctionCost = 8192
)

// logRounds is how many rounds of eviction in a row may store nothing before lines are given up.
const logRounds = 100

var errNoRoom = errors.New(
	"there is no room for these lines: FUNCTION_LOGS_MEMORY or FUNCTION_LOGS_NAMESPACE_MEMORY is too small",
)

// logBatch is some lines of one function.
type logBatch struct {
	ref   function.Ref
	lines []*function.LogLine
	cost  int64 // the most that they can take
}

// AppendLog keeps lines and returns how many it kept. Each stream is cut to keep.Lines and, since Redis cuts whole
// blocks, up to a hundred more; it expires keep.TTL after the last line. Lines go where there is room within
// keep.Namespace and keep.Memory; where there is none, older ones are dropped first. In a cluster 16 parts of the
// namespaces have a 16th of keep.Memory each. Lines may be there twice when the connection was lost while they were
// written.
func (l *logStore) AppendLog(
	ctx context.Context, lines []function.LogLine, keep function.LogLimits,
) (kept int, err error) {
	share, _ := l.budgets(keep)
	if err := ctx.Err(); err != nil {
		return 0, at("append to log", storeError(ctx, err))
	}
	waiting := batchesOf(lines, share/4)
	for failedRounds := 0; len(waiting) > 0 && failedRounds < logRounds; failedRounds++ {
		batches, later := firstOfEach(waiting)
		n, refused, failed := l.appendBatches(ctx, batches, keep)
		for who, those := range refused {
			failed = errors.Join(failed, l.makeRoom(ctx, who, costOf(those)+share/8, those[0].ref.Namespace))
			later = append(those, later...)
		}
		if n > 0 {
			kept += n
			failedRounds = 0
		}
		if err = errors.Join(err, failed); errors.Is(failed, function.ErrUnavailable) {
			break
		}
		waiting = later
	}
	if len(waiting) > 0 && err == nil {
		err = errNoRoom
	}
	return kept, at("append to log", err)
}

// firstOfEach separates the first batch of each function from the later ones, which must be stored after it.
func firstOfEach(batches []logBatch) (first, later []logBatch) {
	seen := map[function.Ref]bool{}
	for _, b := range batches {
		if seen[b.ref] {
			later = append(later, b)
			continue
		}
		seen[b.ref] = true
		first = append(first, b)
	}
	return first, later
}

// batchesOf groups lines by function, in their order, into batches of at most most bytes. One line may be larger.
func batchesOf(lines []function.LogLine, most int64) []logBatch {
	var batches []logBatch
	current := map[function.Ref]int{}
	for i := range lines {
		line := &lines[i]
		cost := int64(len(line.Text)+len(line.RequestID)+len(line.Level)) + logLineCost
		at, ok := current[line.Ref]
		if !ok || batches[at].cost+cost > most {
			at = len(batches)
			current[line.Ref] = at
			begin := int64(4*len(line.ID)+11*len(line.Namespace)) + logFunctionCost
			batches = append(batches, logBatch{ref: line.Ref, cost: begin})
		}
		batches[at].lines = append(batches[at].lines, line)
		batches[at].cost += cost
	}
	return batches
}

// fullGroup is the group that has to lose lines.
type fullGroup struct {
	group string
	// total says that all groups together are full: after this group the largest one of that moment loses lines.
	total bool
}

// appendBatches sends all batches at once. It returns how many lines were stored, and the batches that found no room,
// by the group that has to lose lines.
func (l *logStore) appendBatches(
	ctx context.Context, batches []logBatch, keep function.LogLimits,
) (kept int, refused map[fullGroup][]logBatch, err error) {
	answers := l.sendBatches(ctx, batches, keep, appendScript.EvalSha)
	if slices.ContainsFunc(answers, func(c *redis.Cmd) bool { return redis.HasErrorPrefix(c.Err(), "NOSCRIPT") }) {
		answers = l.sendUnknown(ctx, batches, keep, answers)
	}
	refused = map[fullGroup][]logBatch{}
	for i, answer := range answers {
		values, failed := answer.Slice()
		if failed != nil {
			err = cmp.Or(err, storeError(ctx, failed)) // the first is enough
			continue
		}
		who := fullGroup{group: field(values, 0), total: len(values) > 1 && values[1] == int64(1)}
		if who == (fullGroup{}) {
			kept += len(batches[i].lines)
		} else {
			refused[who] = append(refused[who], batches[i])
		}
	}
	return kept, refused, err
}

// evaluate is a method of a redis.Script.
type evaluate func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

func (l *logStore) sendBatches(
	ctx context.Context, batches []logBatch, keep function.LogLimits, send evaluate,
) []*redis.Cmd {
	share, all := l.budgets(keep)
	var answers []*redis.Cmd
	// Each command has its own error.
	_, _ = l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, b := range batches {
			keys := append(l.keys.counts(b.ref.Namespace), l.keys.stream(b.ref))
			args := []any{
				l.keys.group(b.ref.Namespace), l.keys.entry(b.ref), keep.TTL.Milliseconds(), keep.Lines, share, all, b.cost,
			}
			for _, line := range b.lines {
				args = append(args, line.Time.UnixMilli(), requestOf(line), line.Level, line.Text)
			}
			answers = append(answers, send(ctx, p, keys, args...))
		}
		return nil
	})
	return answers
}

// sendUnknown sends the whole script for the batches whose answer was that Redis does not know it.
func (l *logStore) sendUnknown(
	ctx context.Context, batches []logBatch, keep function.LogLimits, answers []*redis.Cmd,
) []*redis.Cmd {
	var again []logBatch
	var places []int
	for i, answer := range answers {
		if redis.HasErrorPrefix(answer.Err(), "NOSCRIPT") {
			again, places = append(again, batches[i]), append(places, i)
		}
	}
	for i, answer := range l.sendBatches(ctx, again, keep, appendScript.Eval) {
		answers[places[i]] = answer
	}
	return answers
}

// costOf is the most that batches can take.
func costOf(batches []logBatch) (sum int64) {
	for _, b := range batches {
		sum += b.cost
	}
	return sum
}
