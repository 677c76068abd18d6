package stack

import (
	"errors"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/security"
)

// Remote is the other end of the connection on which a request came. The adapter of a protocol knows it.
type Remote interface {
	// Authenticate is who it is, by what id trusts now. The error is a [*security.HandshakeError].
	Authenticate(id security.Identity) (*security.Peer, error)
}

// Judgement is what the guard thought of a request that it let pass.
type Judgement struct {
	// Asks is what was judged, with the peer if it has an identity.
	Asks security.Request
	// Again is set where it has to be judged again if it lasts: what is public is not.
	Again bool

	by state
}

// serveAuthorize lets nobody pass who has not proved who it is, or may not do what it asks for. It is in the chain only
// where there is something to guard.
type serveAuthorize struct{ *Guard }

func (l serveAuthorize) Begin(c *Serve) error {
	j := &c.Judged
	j.Asks = security.Request{Protocol: c.Protocol, Method: c.Method, Path: c.Path, Host: c.Host}
	if c.Protocol == call.GRPC {
		j.Asks.Method, j.Asks.Path = "POST", c.Method
	}
	j.by = l.state()
	public, err := l.judge(c.Remote, &j.Asks)
	if err != nil {
		l.tell(&j.Asks, err)
		return err
	}
	j.Again = !public
	if j.Asks.Peer != nil {
		c.Peer = j.Asks.Peer.ID.String()
	}
	return nil
}

func (serveAuthorize) End(*Serve) {}

// refuse is the answer to who may not pass: what its caller is told says nothing of the rules, and the cause is for
// those who look for it on this side.
func refuse(reason, rule string, code call.Code, text string, cause error) *call.Error {
	return &call.Error{Reason: reason, Rule: rule, Code: code, Err: &withheld{text, cause}}
}

func notAuthenticated(cause error) *call.Error {
	rule := ""
	if h, ok := errors.AsType[*security.HandshakeError](cause); ok {
		rule = string(h.Reason)
	}
	return refuse(call.NotAuthenticated, rule, call.Unauthenticated, "the caller has not proved who it is", cause)
}

func denied(cause error) *call.Error {
	rule := ""
	if d, ok := errors.AsType[*security.Denial](cause); ok {
		rule = d.Rule
	}
	return refuse(call.Denied, rule, call.PermissionDenied, "the caller may not do this", cause)
}

// withheld has a text for strangers, and the cause for errors.Is and errors.As.
type withheld struct {
	text  string
	cause error
}

func (e *withheld) Error() string { return e.text }

func (e *withheld) Unwrap() error { return e.cause }
