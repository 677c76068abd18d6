package security

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// AllowID allows peers with one of these SPIFFE IDs, exactly: "spiffe://shop/web". None given: nobody.
func AllowID(ids ...string) *Rule {
	allowed := make(map[spiffeid.ID]struct{}, len(ids))
	var errs []error
	for _, s := range ids {
		id, err := workloadID(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("AllowID: %w", err))
		}
		allowed[id] = struct{}{}
	}
	return newRule("allow id "+listed(ids), errs, func(r *Request) bool {
		if r.Peer == nil {
			return false
		}
		_, ok := allowed[r.Peer.ID]
		return ok
	})
}

// AllowTrustDomain allows every peer of these trust domains: "shop", or "spiffe://shop". None given: nobody.
func AllowTrustDomain(domains ...string) *Rule {
	allowed := make(map[spiffeid.TrustDomain]struct{}, len(domains))
	var errs []error
	for _, s := range domains {
		td, err := trustDomain(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("AllowTrustDomain: %w", err))
		}
		allowed[td] = struct{}{}
	}
	return newRule("allow trust domain "+listed(domains), errs, func(r *Request) bool {
		if r.Peer == nil {
			return false
		}
		_, ok := allowed[r.Peer.TrustDomain()]
		return ok
	})
}

// trustDomain takes a name, or the ID of a trust domain. The ID of a member is most likely a mistake.
func trustDomain(s string) (spiffeid.TrustDomain, error) {
	name := s
	if strings.Contains(s, ":/") {
		id, err := parseID(s)
		if err != nil {
			return spiffeid.TrustDomain{}, err
		}
		if id.Path() != "" {
			return spiffeid.TrustDomain{}, fmt.Errorf("%q is a member of a trust domain, not the domain", s)
		}
		name = id.TrustDomain().Name()
	}
	if len(name) > 255 { // SPIFFE-ID, 2.1
		return spiffeid.TrustDomain{}, errors.New("the name of a trust domain has at most 255 bytes")
	}
	td, err := spiffeid.TrustDomainFromString(name)
	if err != nil {
		return spiffeid.TrustDomain{}, fmt.Errorf("%q is not a trust domain: %w", shortened(s), err)
	}
	return td, nil
}

// All allows what each of these allows. The error is that of the first that denies. None given: nobody.
func All(of ...Authorizer) *Rule {
	of = slices.Clone(of)
	rule := combination("all", of)
	if rule.err == nil && len(of) > 0 {
		rule.allows = func(r *Request) error {
			for _, a := range of {
				if err := a.Authorize(r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return rule
}

// Any allows what at least one of these allows. None given: nobody.
func Any(of ...Authorizer) *Rule {
	of = slices.Clone(of)
	rule := combination("any", of)
	if rule.err == nil {
		rule.allows = func(r *Request) error {
			for _, a := range of {
				if a.Authorize(r) == nil {
					return nil
				}
			}
			return rule.denial
		}
	}
	return rule
}

// combination is a rule of others that denies for now.
func combination(word string, of []Authorizer) *Rule {
	texts := make([]string, len(of))
	var errs []error
	opaque := false
	for i, a := range of {
		rule, own := a.(*Rule)
		opaque = opaque || !own || rule.Opaque()
		texts[i] = describe(a)
		errs = append(errs, fault(a))
	}
	text := word + " of (" + strings.Join(texts, "; ") + ")"
	return &Rule{text: text, err: errors.Join(errs...), denial: &Denial{Rule: text}, opaque: opaque}
}

func describe(a Authorizer) string {
	if s, ok := a.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", a)
}
