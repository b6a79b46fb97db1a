package invoke

import (
	"encoding/json"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// withStep adds the members namespace and functionId to a JSON object as assignment does in JavaScript: a member that
// is there keeps its place and gets the new value, a new one comes last. Any other value is returned as it is.
func withStep(body json.RawMessage, ref function.Ref) json.RawMessage {
	body = rawjson.SetMember(body, "namespace", rawjson.AppendString(nil, ref.Namespace))
	return rawjson.SetMember(body, "functionId", rawjson.AppendString(nil, ref.ID))
}
