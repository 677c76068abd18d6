package security

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Expectation is what a server must prove to a client: to be one of several identities, or a member of a trust domain.
// The zero Expectation is met by nobody. It is immutable.
type Expectation struct {
	ids []spiffeid.ID // sorted, each once; one without a path stands for the members of its trust domain
}

// Expect makes an expectation that is met by any of ids. "spiffe://shop/orders" is met by that identity only;
// "spiffe://shop", which has no path, by every member of the trust domain: it says in so many words that any service may
// answer for any other. No ids at all, or one that is no SPIFFE ID, is an error.
func Expect(ids ...string) (Expectation, error) {
	if len(ids) == 0 {
		return Expectation{}, errors.New("security: expected identity: none is given")
	}
	parsed := make([]spiffeid.ID, len(ids))
	for i, s := range ids {
		id, err := parseID(s)
		if err != nil {
			return Expectation{}, fmt.Errorf("security: expected identity: %w", err)
		}
		parsed[i] = id
	}
	return expectAny(parsed), nil
}

func expectAny(ids []spiffeid.ID) Expectation {
	slices.SortFunc(ids, func(a, b spiffeid.ID) int { return strings.Compare(a.String(), b.String()) })
	return Expectation{ids: slices.Compact(ids)}
}

// Narrow is what meets both e and other: where a config says whom to expect, a source can say it more exactly, and cannot
// make it any wider. What the two have not in common is gone; if that is everything, nobody meets the result.
func (e Expectation) Narrow(other Expectation) Expectation {
	var both []spiffeid.ID
	for _, id := range e.ids {
		if other.covers(id) {
			both = append(both, id)
		}
	}
	for _, id := range other.ids {
		if e.covers(id) {
			both = append(both, id)
		}
	}
	return expectAny(both)
}

// Allows says whether an identity meets the expectation.
func (e Expectation) Allows(id spiffeid.ID) bool { return id.Path() != "" && e.covers(id) }

// covers is Allows, for trust domains as well.
func (e Expectation) covers(id spiffeid.ID) bool {
	return slices.ContainsFunc(e.ids, func(own spiffeid.ID) bool {
		return own == id || own.Path() == "" && own.TrustDomain() == id.TrustDomain()
	})
}

// IsZero says whether nobody meets the expectation.
func (e Expectation) IsZero() bool { return len(e.ids) == 0 }

// Exact says whether only identities are expected, and not the members of a trust domain.
func (e Expectation) Exact() bool {
	return !e.IsZero() && !slices.ContainsFunc(e.ids, func(id spiffeid.ID) bool { return id.Path() == "" })
}

// String is the expected identities, in order and separated by commas. Two expectations are equal if their strings are.
func (e Expectation) String() string {
	texts := make([]string, len(e.ids))
	for i, id := range e.ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, ",")
}

func (e Expectation) check(p *Peer) *HandshakeError {
	if e.Allows(p.ID) {
		return nil
	}
	err := errors.New("nobody is")
	if !e.IsZero() {
		err = fmt.Errorf("expected %s", e)
	}
	return &HandshakeError{Reason: WrongIdentity, PeerID: p.ID.String(), Err: err}
}
