package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/backstage/functions/sandbox/rawjson"
)

// ErrInvalid means that an Invocation is not one that a worker can be sent.
var ErrInvalid = errors.New("sandbox: invalid invocation")

// mostLevels is how deep the JSON of an Invocation may be nested: as deep as an answer.
const mostLevels = 10_000

// texts is how many JSON texts an Invocation has.
const texts = 8

// Validate says what is wrong with inv, all faults at once, in an error that is ErrInvalid. Invoke does so for every
// call. JSON texts are read whole, unless MarkValid was called for them.
func (inv *Invocation) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if inv.Key == "" {
		fault("Key is empty: name the function and the revision of its code")
	}
	if inv.Kind > Check {
		fault("Kind %d is not Run or Check", inv.Kind)
	}
	if inv.Depth < 0 || inv.MaxInvocations < 0 {
		fault("Depth %d or MaxInvocations %d is below 0", inv.Depth, inv.MaxInvocations)
	}
	if inv.SyncTimeout < 0 || inv.AsyncTimeout < 0 {
		fault("SyncTimeout %v or AsyncTimeout %v is below 0", inv.SyncTimeout, inv.AsyncTimeout)
	}
	if min(inv.StreamIdle, inv.StreamTotal, inv.StreamUnread) < 0 {
		fault("StreamIdle %v, StreamTotal %v or StreamUnread %v is below 0",
			inv.StreamIdle, inv.StreamTotal, inv.StreamUnread)
	}
	if inv.Memory < 0 || !(inv.CPU >= 0) {
		fault("Memory %d or CPU %v is below 0", inv.Memory, inv.CPU)
	}
	if r := &inv.Request; r.HasRaw && len(r.Body) > 0 || !r.HasRaw && len(r.Raw) > 0 {
		fault("Request.Raw has %d bytes and Request.Body %d, with HasRaw %t", len(r.Raw), len(r.Body), r.HasRaw)
	}
	for i, text := range inv.texts() {
		if err := checkText(*text, inv.valid[i], i != bodyText); err != nil {
			fault("%s %w", textNames[i], err)
		}
	}
	if faults == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrInvalid, errors.Join(faults...))
}

// MarkValid says that the JSON texts which inv has now need not be read before they go to a worker: this program has
// checked them, or an encoder wrote them. It returns inv. A text that is put in the place of one of them is read again;
// do not change one in place, for that is not seen.
// To mark what is not JSON lets its author add members of his choice to the frame of the call.
func (inv *Invocation) MarkValid() *Invocation {
	for i, text := range inv.texts() {
		inv.valid[i] = identityOf(*text)
	}
	return inv
}

// bodyText is the one of an Invocation's texts that may be any JSON value; the others are objects.
const bodyText = 0

var textNames = [texts]string{
	"Request.Body", "Request.Header", "Request.Query", "Env", "Outgoing", "Request.HTTP", "Secrets", "Request.Auth",
}

func (inv *Invocation) texts() [texts]*json.RawMessage {
	r := &inv.Request
	return [texts]*json.RawMessage{
		&r.Body, &r.Header, &r.Query, &inv.Env, &inv.Outgoing, &r.HTTP, &inv.Secrets, &r.Auth,
	}
}

// identity tells a text apart from all others that are in memory.
type identity struct {
	first *byte
	size  int
}

func identityOf(text json.RawMessage) identity {
	if len(text) == 0 {
		return identity{}
	}
	return identity{&text[0], len(text)}
}

var (
	errNotJSON   = errors.New("is not JSON")
	errNotObject = errors.New("is not a JSON object")
	errTooDeep   = fmt.Errorf("is nested more than %d levels deep", mostLevels)
)

// checkText fails unless text is empty, marked, or JSON; an object if it must be one.
func checkText(text json.RawMessage, marked identity, object bool) error {
	if len(text) == 0 || marked == identityOf(text) {
		return nil
	}
	switch found := rawjson.Scan(text, mostLevels); {
	case found.TooDeep:
		return errTooDeep
	case !found.OK:
		return fmt.Errorf("%w, from byte %d on", errNotJSON, found.Stopped)
	case object && bytes.TrimLeft(text, " \t\r\n")[0] != '{':
		return errNotObject
	}
	return nil
}
