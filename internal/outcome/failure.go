package outcome

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/backstage/functions/sandbox"
)

// Failed says whether a call that is answered with that status has failed, and might not another time. With the others
// the function has decided, or the request is wrong.
func Failed(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout ||
		status == http.StatusTooManyRequests
}

// ReasonOf names in a word why a call failed that was answered with that status, with err or, if that is nil, by its
// function.
func ReasonOf(err error, status int) string {
	if err != nil {
		if o := Of(err); o.Reason != "" {
			return o.Reason
		}
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		return string(death.Reason)
	}
	if _, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return "thrown"
	}
	return "status_" + strconv.Itoa(status)
}
