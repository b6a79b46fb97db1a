package callbacks

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// eventType is that of the events, without the state of the call that follows it.
const eventType = "backstage.functions.call."

// event is the CloudEvent that tells of the end of c, in structured mode: its record, and the answer unless it is too
// long. Its error is that of the store.
func (s *Sender) event(ctx context.Context, c *queue.Call) ([]byte, error) {
	data := rawjson.NewObject(make([]byte, 0, 1024))
	for name, value := range rawjson.Members(s.Record(c)) {
		data.Raw(rawjson.Unquote(name), value)
	}
	if c.HasResult {
		a, err := s.Answer(ctx, c.Ref, c.ID)
		switch {
		case err == nil && len(a.Body)+len(a.Bytes) <= s.AnswerLimit:
			data.Raw("answer", answerJSON(a))
		case err != nil && !errors.Is(err, queue.ErrNotFound):
			return nil, err
		}
	}
	o := rawjson.NewObject(nil)
	o.String("specversion", "1.0")
	o.String("type", eventType+string(c.Status))
	o.String("source", "/functions/"+url.PathEscape(c.Ref.Namespace)+"/"+url.PathEscape(c.Ref.ID))
	o.String("subject", c.ID)
	o.String("id", c.EventID())
	o.Time("time", c.Settled)
	o.String("datacontenttype", "application/json")
	o.Raw("data", data.End())
	return o.End(), nil
}

// answerJSON is what the function has answered: JSON as it is, anything else in base64.
func answerJSON(a *calls.Answer) []byte {
	o := rawjson.NewObject(nil)
	o.Raw("status", strconv.AppendInt(nil, int64(a.Status), 10))
	for _, f := range a.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			o.String("contentType", f.Value)
			break
		}
	}
	switch {
	case a.Bytes != nil:
		o.String("base64", base64.StdEncoding.EncodeToString(a.Bytes))
	case a.Body != nil:
		o.Raw("body", a.Body)
	}
	return o.End()
}
