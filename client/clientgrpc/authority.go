package clientgrpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// TLSInfo is the [credentials.AuthInfo] of connections over TLS that are made with [Credentials], the client's identity
// included, as grpc.Peer gives it.
type TLSInfo struct {
	credentials.TLSInfo

	service     string // whose identity the endpoint has proved
	destination string // the service, or the subset of it that the connection is for
	vouched     *vouched
}

// ValidateAuthority is asked by grpc where a call has an authority of its own ([grpc.CallAuthority]). grpc's question is
// whether the server may be trusted with requests for that name, and what it usually goes by is the DNS names in the
// certificate. The mesh verifies no DNS name: it has chosen the endpoint, and the endpoint has proved the identity that is
// expected of the service, which is what the caller relies on. So an authority is acceptable if it is
//
//   - the service's own name: that is whom the endpoint has proved to belong to;
//   - or what a route of the client's policy writes (traffic.Rewrite.Authority) for calls that it leads to this very
//     destination: who says whose identity is to be trusted there says also by which name it is to be called;
//   - or a name in the certificate, as grpc itself has it.
//
// Any other that a caller names is refused: nobody has said that this server speaks for it. A server of the policy's simple
// or mutual TLS has proved names alone, so there it is a name in its certificate and nothing else.
func (t TLSInfo) ValidateAuthority(authority string) error {
	if t.service == "" {
		return t.TLSInfo.ValidateAuthority(authority)
	}
	if strings.EqualFold(authority, t.service) || strings.EqualFold(authority, stack.SplitPort(t.service)) {
		return nil
	}
	if t.vouched.has(voucher{t.destination, authority}) {
		return nil
	}
	if err := t.TLSInfo.ValidateAuthority(authority); err != nil {
		return fmt.Errorf("clientgrpc: no route leads to %s under the authority %q, and its certificate does not name it: %w", t.destination, authority, err)
	}
	return nil
}

// vouched is the authorities that routes have written so far. They are kept when a policy is replaced, for the calls under
// way; there are no more than policies have named.
type vouched struct{ m sync.Map }

// voucher is one authority at one destination.
type voucher struct{ destination, authority string }

func (v *vouched) has(w voucher) bool { _, ok := v.m.Load(w); return ok }

func (v *vouched) add(w voucher) {
	if !v.has(w) {
		v.m.Store(w, struct{}{})
	}
}

// readdress gives the call the authority that its route writes, before its first attempt. It takes the place of the caller's.
func (r *rpc) readdress(a *stack.Attempt) {
	if r.shadowed != nil {
		r.shadowed.readdress(r)
		return
	}
	authority := r.rewritten()
	if authority == "" || a.Number > 1 {
		return
	}
	r.dialer.vouched.add(voucher{r.Destination().Name, authority})
	r.opts = append(slices.Clip(r.opts), grpc.CallAuthority(authority))
}

// rewritten is the authority that the route writes; empty where it writes none.
func (r *rpc) rewritten() string {
	if rule := r.Rule(); rule != nil && rule.Route.Rewrite != nil {
		return rule.Route.Rewrite.Authority
	}
	return ""
}

// authority is the one that the caller asked for.
func (r *rpc) authority() string {
	authority := r.Service
	for _, o := range r.opts {
		if o, ok := o.(grpc.AuthorityOverrideCallOption); ok {
			authority = o.Authority
		}
	}
	return authority
}

var errAuthority = errors.New("clientgrpc: the connection's credentials do not accept the authority that the route writes")

// authorityRefused reports whether err is grpc's refusal of the authority that the route writes, by the caller's own
// credentials: no attempt would fare better. grpc has no other word for it than the text.
func (r *rpc) authorityRefused(err error) bool {
	if err == nil || r.rewritten() == "" {
		return false
	}
	s := status.Convert(err)
	return s.Code() == codes.Unavailable && (strings.HasPrefix(s.Message(), "failed to validate authority") ||
		strings.Contains(s.Message(), "does not implement the AuthorityValidator interface"))
}

// misaddressed is the error for that.
func (r *rpc) misaddressed(err error) call.Outcome {
	e := &call.Error{
		Service: r.Service, Method: r.Method, Rule: r.Rule().Name, Attempts: r.Tries, Reason: call.Invalid, Code: call.FailedPrecondition,
		Err: fmt.Errorf("%w: %w", errAuthority, err),
	}
	return call.Outcome{Err: convert(e), Code: e.Code}
}
