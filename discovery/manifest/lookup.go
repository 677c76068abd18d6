package manifest

import (
	"context"
	"sync"

	"github.com/intramesh/intramesh/discovery"
)

// lookups are the hosts of one plan that are followed in DNS.
type lookups struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start looks up the hosts of a plan, and tells w the union of their addresses and of the endpoints that need no lookup.
func (w *watch) start(p *plan) *lookups {
	ctx, cancel := context.WithCancel(w.ctx)
	l := &lookups{cancel: cancel}
	sources := []discovery.Source{}
	if len(p.ready) > 0 {
		sources = append(sources, discovery.Static{w.service: p.ready})
	}
	for _, e := range p.lookup {
		sources = append(sources, named{w.plane.dns, e})
	}
	l.done.Go(func() {
		var set []discovery.Endpoint
		_ = discovery.Merge(sources...).Watch(ctx, w.service, func(u discovery.Update) {
			if u.Kind == discovery.Failed {
				w.failed(u.Err)
				return
			}
			set = u.Apply(set)
			w.set(set)
		})
	})
	return l
}

func (l *lookups) end() {
	if l != nil {
		l.cancel()
		l.done.Wait()
	}
}

// named is the addresses of a host, each an endpoint like the one that has the host for its address.
type named struct {
	dns *discovery.DNS
	as  discovery.Endpoint
}

// Watch follows the host. That DNS does not know it is no endpoint, and not an unknown service: the service is in a manifest.
func (n named) Watch(ctx context.Context, _ string, fn func(discovery.Update)) error {
	return n.dns.Watch(ctx, n.as.Addr, func(u discovery.Update) {
		if u.Kind == discovery.Absent {
			u = discovery.Update{Kind: discovery.Set}
		}
		endpoints := make([]discovery.Endpoint, len(u.Endpoints))
		for i, e := range u.Endpoints {
			endpoints[i] = n.as
			endpoints[i].Addr = e.Addr
		}
		u.Endpoints = endpoints
		fn(u)
	})
}
