package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// headerTiming tells where the time of a call went: https://www.w3.org/TR/server-timing/
const headerTiming = "Server-Timing"

// setTiming sets what is known of a call: its wait for a worker, where the worker came from, and its time there. Of a
// pipeline these are of the last step that ran. A call that got no worker in took has its wait alone.
func setTiming(w http.ResponseWriter, result *sandbox.Result, err error, took time.Duration) {
	stats := invoke.StatsOf(result, err)
	switch {
	case stats.Start != "":
		answer.Set(w, headerTiming, timing(stats))
	case errors.Is(err, sandbox.ErrBusy):
		w.Header()[headerTiming] = []string{string(appendDuration(nil, "queue", took))}
	}
}

// timing is such as "queue;dur=0.012, start;desc="cold", load;dur=0.310, run;dur=1.250", in milliseconds. Load is a
// part of run and there only when the call loaded the function's code.
func timing(stats sandbox.Stats) string {
	text := appendDuration(make([]byte, 0, 64), "queue", stats.Queue)
	text = append(text, `, start;desc="`...)
	text = append(text, stats.Start...)
	text = append(text, `", `...)
	if stats.Load > 0 {
		text = append(appendDuration(text, "load", stats.Load), ", "...)
	}
	return string(appendDuration(text, "run", stats.Run))
}

func appendDuration(dst []byte, name string, d time.Duration) []byte {
	dst = append(append(dst, name...), ";dur="...)
	return strconv.AppendFloat(dst, float64(d)/float64(time.Millisecond), 'f', 3, 64)
}
