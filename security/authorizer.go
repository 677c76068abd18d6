package security

import (
	"errors"
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/internal/call"
)

// Protocol says how a request travels.
type Protocol = call.Protocol

// The protocols of requests.
const (
	HTTP = call.HTTP
	GRPC = call.GRPC
)

// Request is what an [Authorizer] judges: who wants what.
type Request struct {
	// Peer is who asks; nil where the connection has no identity.
	Peer *Peer
	// Protocol is how the request came.
	Protocol Protocol
	// Method is the HTTP method; "POST" over gRPC, as it is on the wire.
	Method string
	// Path is the decoded path of the URL ("/items/7"), or the full gRPC method ("/shop.Orders/Place").
	Path string
	// Host is the authority that was asked for.
	Host string
}

// Authorizer decides about requests. Implementations are called from many goroutines at once, for every request.
type Authorizer interface {
	// Authorize allows the request by returning nil. An error denies it; those of this package wrap [ErrDenied]. The
	// request must not be kept or changed.
	Authorize(r *Request) error
}

// AuthorizerFunc is a function as an [Authorizer].
type AuthorizerFunc func(r *Request) error

// Authorize calls f. A nil f denies.
func (f AuthorizerFunc) Authorize(r *Request) error {
	if f == nil {
		return broken
	}
	return f(r)
}

// Validate is an error if f is nil.
func (f AuthorizerFunc) Validate() error { return Check(f) }

// Rule is an [Authorizer] made by [AllowID], [AllowTrustDomain], [AllowMethods], [All] or [Any]. It is immutable. A Rule
// that was made of what cannot be understood denies everything, and [Check] says why; so does a nil one.
type Rule struct {
	text   string
	allows func(r *Request) error // nil: nobody
	err    error                  // what is wrong with it
	denial *Denial                // made once, because denials may come in floods
	opaque bool
}

func newRule(text string, errs []error, allows func(r *Request) bool) *Rule {
	rule := &Rule{text: text, err: errors.Join(errs...), denial: &Denial{Rule: text}}
	if rule.err == nil {
		rule.allows = func(r *Request) error {
			if allows(r) {
				return nil
			}
			return rule.denial
		}
	}
	return rule
}

var broken = &Denial{Rule: "a rule that is not valid"}

// Authorize returns nil or a [*Denial]; of [All] and [Any] it may be the error of an Authorizer of others.
func (rule *Rule) Authorize(r *Request) error {
	switch {
	case rule == nil, rule.err != nil:
		return broken
	case r == nil || rule.allows == nil:
		return rule.denial
	}
	return rule.allows(r)
}

// String is the rule as it was written: "allow id spiffe://shop/web".
func (rule *Rule) String() string {
	if rule == nil {
		return "nil"
	}
	return rule.text
}

// Validate is what is wrong with the rule, or nil.
func (rule *Rule) Validate() error { return Check(rule) }

// Opaque says whether the rule contains an Authorizer that is not a Rule, which may look at anything in a request. Rules
// look at Peer, Method and Path: servers need not spend time on the rest.
func (rule *Rule) Opaque() bool { return rule != nil && rule.opaque }

// Denial says which rule denied. It wraps [ErrDenied].
type Denial struct { //nolint:errname // a denial is a decision and not a failure
	// Rule is the text of the rule.
	Rule string
}

func (d *Denial) Error() string { return ErrDenied.Error() + " by " + d.Rule }

// Unwrap gives ErrDenied.
func (d *Denial) Unwrap() error { return ErrDenied }

// Check is what is wrong with an [Authorizer], or nil. Whoever takes one in a config calls it once, so that a mistake in a
// rule is an error there and not a denial for ever. It asks the Authorizer's own Validate() error, if it has that method.
func Check(a Authorizer) error {
	if err := fault(a); err != nil {
		return fmt.Errorf("security: authorize: %w", err)
	}
	return nil
}

// fault is what is wrong with an Authorizer, in words that can stand among others.
func fault(a Authorizer) error {
	switch a := a.(type) {
	case nil:
		return errors.New("a rule is nil")
	case *Rule:
		if a == nil {
			return errors.New("a rule is nil")
		}
		return a.err
	case AuthorizerFunc:
		if a == nil {
			return errors.New("an AuthorizerFunc is nil")
		}
	case interface{ Validate() error }:
		return a.Validate()
	}
	return nil
}

// listed joins words for the text of a rule.
func listed(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
