package zygote

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"time"
)

// The types of message; the same numbers stand in report.h.
const (
	requestFork        = 1
	requestUnshareHeap = 2
	requestSettle      = 3
	requestGatherHeap  = 4

	reportBorn   = 1
	reportFailed = 2
	reportDied   = 3
)

const (
	requestSize = 16 // struct request
	reportSize  = 24 // struct report
	maxRanges   = 2048
)

// Range is a range of addresses in the zygote.
type Range struct{ Start, Length uint64 }

// request is one of kind without more.
func request(kind uint32) []byte {
	msg := make([]byte, requestSize)
	binary.NativeEndian.PutUint32(msg[0:], kind)
	return msg
}

func forkRequest(uid uint32, tracked bool) []byte {
	msg := request(requestFork)
	binary.NativeEndian.PutUint32(msg[4:], uid)
	if tracked {
		binary.NativeEndian.PutUint32(msg[12:], 1)
	}
	return msg
}

func unshareRequest(ranges []Range, last bool) []byte {
	msg := rangesRequest(requestUnshareHeap, ranges)
	if last {
		binary.NativeEndian.PutUint32(msg[12:], 1)
	}
	return msg
}

// rangesRequest is one of kind about ranges.
func rangesRequest(kind uint32, ranges []Range) []byte {
	msg := slices.Grow(request(kind), 16*len(ranges))
	binary.NativeEndian.PutUint32(msg[8:], uint32(len(ranges)))
	for _, r := range ranges {
		msg = binary.NativeEndian.AppendUint64(msg, r.Start)
		msg = binary.NativeEndian.AppendUint64(msg, r.Length)
	}
	return msg
}

// report is what the zygote tells.
type report struct {
	kind   uint32
	pid    int32 // in the zygote's PID namespace
	status int32
	usage  Usage
}

// Usage is what a dead worker has used.
type Usage struct {
	MaxRSS int64 // bytes
	CPU    time.Duration
}

var errReport = errors.New("zygote: unreadable report")

func parseReport(msg []byte) (report, error) {
	if len(msg) != reportSize {
		return report{}, errReport
	}
	return report{
		kind:   binary.NativeEndian.Uint32(msg[0:]),
		pid:    int32(binary.NativeEndian.Uint32(msg[4:])),
		status: int32(binary.NativeEndian.Uint32(msg[8:])),
		usage: Usage{
			MaxRSS: int64(binary.NativeEndian.Uint32(msg[12:])) << 10,
			CPU:    time.Duration(binary.NativeEndian.Uint64(msg[16:])) * time.Microsecond,
		},
	}, nil
}

// Death is how a worker ended.
type Death struct {
	Status syscall.WaitStatus
	Usage  Usage
}
