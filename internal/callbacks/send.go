package callbacks

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// namespaceKey is the key of the namespace in the context of a request, for Dial.
type namespaceKey struct{}

// maxHeader bounds the head of the answer of a receiver, in bytes.
const maxHeader = 16 << 10

// newClient makes a client that connects for each request anew, since each belongs to a namespace with its own policy.
// It follows no redirects: the policy and the signature are for the receiver that was named.
func newClient(o Options) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				namespace, _ := ctx.Value(namespaceKey{}).(string)
				return o.Dial(ctx, namespace, address)
			},
			TLSClientConfig:   &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes one attempt and says how its take ends.
func (s *Sender) send(ctx context.Context, job *queue.Call) *queue.Settlement {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	began := time.Now()
	c, err := s.Queue.GetCall(ctx, job.Ref, job.ID)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return &queue.Settlement{Outcome: queue.Fail, Reason: "not_found"}
	case err != nil || !c.Status.Settled(): // redriven meanwhile: nobody settles this take then
		return &queue.Settlement{Outcome: queue.Back, Delay: s.Poll}
	}
	body, err := s.event(ctx, c)
	if err != nil {
		return &queue.Settlement{Outcome: queue.Back, Delay: s.Poll}
	}
	secret, err := s.Secret(ctx, c.Ref, c.CallTo.Secret)
	switch {
	case errors.Is(err, function.ErrUnavailable):
		return &queue.Settlement{Outcome: queue.Back, Delay: s.Poll}
	case err != nil:
		return s.failed(job, "secret", s.tellable(ctx, c, err), 0, 0, began)
	}
	request, err := s.request(ctx, c, secret, body)
	if err != nil {
		return s.failed(job, "secret", err.Error(), 0, 0, began)
	}
	response, err := s.client.Do(request)
	switch {
	case err != nil && s.ctx.Err() != nil: // this server stops
		return &queue.Settlement{Outcome: queue.Back}
	case err != nil:
		s.logDenied(ctx, job, err)
		reason, text := explain(err)
		return s.failed(job, reason, text, 0, 0, began)
	}
	_ = response.Body.Close() // whatever it says, the status is the answer
	status := response.StatusCode
	switch {
	case status >= 200 && status < 300:
		return &queue.Settlement{Outcome: queue.Done, Detail: s.detail(status, "", "", began)}
	case status == http.StatusGone:
		return &queue.Settlement{Outcome: queue.Fail, Reason: "gone", Detail: s.detail(status, "gone", "", began)}
	}
	return s.failed(job, "status_"+strconv.Itoa(status), "", status, retryAfter(response.Header), began)
}

// tellable is what a record says of err, which is why the secret cannot be had: no more than the caller of a function
// with that secret is told. The log has the rest.
func (s *Sender) tellable(ctx context.Context, c *queue.Call, err error) string {
	out := outcome.Of(err)
	if out.Hidden {
		s.Logger.ErrorContext(ctx, "A callback cannot be signed: its secret cannot be read",
			"function", c.Ref.String(), "call", c.ID, "error", err)
	}
	return out.Message
}

// request is the request that tells of c, signed with secret. Its error says what is wrong with the secret, without its
// value.
func (s *Sender) request(ctx context.Context, c *queue.Call, secret string, body []byte) (*http.Request, error) {
	header, err := sign(secret, c.EventID(), time.Now(), body)
	if err != nil {
		return nil, fmt.Errorf("the secret %s %w", c.CallTo.Secret, err)
	}
	ctx = context.WithValue(ctx, namespaceKey{}, c.Ref.Namespace)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.CallTo.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header
	header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	header.Set("User-Agent", "Backstage-Functions")
	return request, nil
}

var errSecret = errors.New("is not one or more keys of 24 to 64 bytes in base64 behind whsec_, with spaces between")

// sign returns the headers that sign a message as Standard Webhooks says: one signature for each key in secret, so that
// a receiver can change from one to another.
func sign(secret, id string, at time.Time, body []byte) (http.Header, error) {
	var signatures []string
	for key := range strings.FieldsSeq(secret) {
		text, marked := strings.CutPrefix(key, "whsec_")
		raw, err := base64.StdEncoding.DecodeString(text)
		if !marked || err != nil || len(raw) < 24 || len(raw) > 64 {
			return nil, errSecret
		}
		signer, err := webhooks.NewWebhookRaw(raw)
		if err != nil {
			return nil, errSecret
		}
		signature, err := signer.Sign(id, at, body)
		if err != nil {
			return nil, errSecret
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return nil, errSecret
	}
	header := http.Header{}
	header.Set(webhooks.HeaderWebhookID, id)
	header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(webhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return header, nil
}

// explain says in a word why nothing was answered, and in a sentence. What the policy hides from functions it hides
// from records too.
func explain(err error) (reason, text string) {
	var refused *egress.DialError
	var long interface{ Timeout() bool }
	switch {
	case errors.As(err, &refused):
		return "connect", refused.Code()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &long) && long.Timeout():
		return "timeout", ""
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return "certificate", certificate.Err.Error()
	}
	return "connection", ""
}

// logDenied says in the log what the policy refuses and records hide, once for each callback.
func (s *Sender) logDenied(ctx context.Context, job *queue.Call, err error) {
	var refused *egress.DialError
	if job.Used == 0 && errors.As(err, &refused) && refused.Denied() {
		s.Logger.WarnContext(ctx, "A callback is not sent: functions may not reach its receiver (see EGRESS_ALLOW)",
			"function", job.Ref.String(), "call", job.ID, "error", refused)
	}
}

// failed is an attempt that failed: the next one is after a while, or when the receiver says.
func (s *Sender) failed(
	job *queue.Call, reason, text string, status int, after time.Duration, began time.Time,
) *queue.Settlement {
	return &queue.Settlement{
		Outcome: queue.Retry, Reason: reason, Delay: after + backoff(job.Used),
		Detail: s.detail(status, reason, text, began),
	}
}

// The wait after the first failure, and the longest one.
const (
	firstBackoff   = 5 * time.Second
	longestBackoff = 6 * time.Hour
)

// backoff is a random wait: after the first failure up to firstBackoff, and three times as long after each more.
func backoff(failures int) time.Duration {
	most := firstBackoff
	for ; failures > 0 && most < longestBackoff; failures-- {
		most = min(3*most, longestBackoff)
	}
	return most/2 + time.Duration(rand.Int64N(int64(most/2)+1))
}

// retryAfter is what a receiver asks for, in seconds or as a date, at most longestBackoff.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(min(seconds, 1<<20))*time.Second, longestBackoff)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), longestBackoff)
	}
	return 0
}

// longestText bounds what a record says of a failure, in bytes.
const longestText = 500

// detail describes an attempt for its record.
func (s *Sender) detail(status int, reason, text string, began time.Time) []byte {
	o := rawjson.NewObject(nil)
	if status != 0 {
		o.Raw("status", strconv.AppendInt(nil, int64(status), 10))
	}
	if reason != "" {
		o.String("reason", reason)
	}
	if text != "" {
		o.String("error", strings.ToValidUTF8(text[:min(len(text), longestText)], ""))
	}
	o.Raw("ms", strconv.AppendInt(nil, time.Since(began).Milliseconds(), 10))
	o.String("server", s.Server)
	return o.End()
}
