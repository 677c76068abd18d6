package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// credible says why an answer without instances must not be believed, if so. Consul does not refuse who may not read a
// service: it leaves out what may not be seen, and says so in a header, but not to who has no token.
func (f *follower) credible(ctx context.Context, a response) error {
	switch meta := a.meta; {
	case len(a.all) > 0:
		return nil
	case meta.ResultsFilteredByACLs:
		return f.lacks("the token")
	case !meta.KnownLeader && meta.QueryBackend != api.QueryBackendStreaming:
		return errors.New("no instances, says a server that knows no leader")
	case meta.LastIndex <= 1:
		// Consul promises that no real answer has the index 1. A server has it that was elected just now and has not read its
		// log yet, and an agent that streams, which never says whether there is a leader, when it has not heard anything.
		return errors.New("no instances, says an agent or a server that knows nothing at all yet")
	// Lost instances are never in an answer: that they are not is no news.
	case f.index > 0 && meta.LastIndex == f.index && len(f.state.Load().set) > len(f.hold.lost):
		return errors.New("no instances any more, and yet the index says that nothing has changed")
	case meta.DefaultACLPolicy == "deny" && f.plane.token.load() == "":
		return f.anonymous(ctx)
	}
	return nil
}

// doubtful says whether an answer may lack what the token may not see without saying so, as those of agents do that are
// subscribed to their servers' changes, which is what they do with questions that block. The servers themselves do say it.
// They are not asked each time that an instance leaves, which would be what the subscription is there to avoid: only where
// half of the instances are gone at once.
func (f *follower) doubtful(a response) bool {
	return a.meta.QueryBackend == api.QueryBackendStreaming && a.meta.DefaultACLPolicy == "deny" &&
		(f.filtered || len(a.all) == 0 || 2*len(a.all) <= len(f.state.Load().set)) && f.plane.token.load() != ""
}

func (f *follower) lacks(who string) error {
	return fmt.Errorf("%s may not read it: want service %q { policy = \"read\" } and node_prefix \"\" { policy = \"read\" }",
		who, f.q.service)
}

// anonymous finds out whether who has no token may read the service: Consul leaves that out of an answer, but an agent
// refuses who asks it for its own instances of a service that may not be read.
func (f *follower) anonymous(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var out json.RawMessage
	_, err := f.plane.api.Raw().Query("/v1/agent/health/service/name/"+f.q.service, &out, f.plane.options(ctx))
	var s api.StatusError
	switch {
	case errors.As(err, &s) && s.Code == http.StatusForbidden:
		return f.lacks("who has no token")
	case errors.As(err, &s) && s.Code == http.StatusNotFound: // allowed, and there is none here
	case err != nil:
		return fmt.Errorf("no instances, and whether they may be seen is not known: %w", err)
	}
	return nil
}

// explain adds to an error of Consul what it means; the [api.StatusError] stays below it. A token that was deleted while a
// question was held open is reported as an error of the server.
func explain(err error) error {
	var s api.StatusError
	switch {
	case !errors.As(err, &s):
	case s.Code == http.StatusForbidden || strings.Contains(s.Body, "ACL not found"):
		return fmt.Errorf("the token has expired, is unknown, or lacks a right: %w", err)
	case strings.Contains(s.Body, "boolean expression"):
		return fmt.Errorf("the filter is none that Consul can read: %w", err)
	case strings.Contains(s.Body, "Enterprise feature"):
		return fmt.Errorf("this server is no Consul Enterprise: leave Namespace and Partition empty: %w", err)
	}
	return err
}

// trustDomain is that of the CA of a datacenter; datacenters that were joined later have one each. It stays what it is as
// long as the servers keep their data.
func (p *Plane) trustDomain(ctx context.Context, datacenter string) (string, error) {
	p.mu.Lock()
	domain := p.domains[datacenter]
	p.mu.Unlock()
	if domain != "" {
		return domain, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	o := p.options(ctx)
	o.Datacenter = datacenter
	roots, _, err := p.api.Agent().ConnectCARoots(o)
	if err != nil {
		return "", fmt.Errorf("trust domain of Connect: %w", explain(err))
	}
	p.mu.Lock()
	p.domains[datacenter] = roots.TrustDomain
	p.mu.Unlock()
	return roots.TrustDomain, nil
}

// forget has the trust domain of a datacenter asked for anew, after its servers may have lost their data.
func (p *Plane) forget(datacenter string) {
	p.mu.Lock()
	delete(p.domains, datacenter)
	p.mu.Unlock()
}
