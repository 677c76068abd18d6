package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// dnsWatch is the state of one Watch of a [DNS].
type dnsWatch struct {
	dns      *DNS
	question question
	news     reporter
	again    *backoff.ExponentialBackOff
	denied   time.Time // when the host was first said not to exist, since the last good answer
}

// lookup asks once, reports what is new, and says how long to wait before the next time.
func (w *dnsWatch) lookup(ctx context.Context) time.Duration {
	addrs, err := w.dns.ask(ctx, w.question.host)
	switch {
	case err == nil:
		w.found(ctx, addrs)
		return w.dns.pause()
	case notFound(err) && w.believed():
		w.news.gone(ctx)
	default:
		w.news.failed(ctx, fmt.Errorf("discovery: dns: look up %s: %w", w.question.host, err))
	}
	return w.again.NextBackOff()
}

func (w *dnsWatch) found(ctx context.Context, addrs []netip.Addr) {
	w.news.set(ctx, w.question.endpoints(addrs))
	w.again.Reset()
	w.denied = time.Time{}
}

// believed reports whether a denial is to be taken as the truth: see [DNS].
func (w *dnsWatch) believed() bool {
	if !w.news.answered || w.news.absent {
		return true
	}
	if w.denied.IsZero() {
		w.denied = time.Now()
		return false
	}
	return time.Since(w.denied) >= w.dns.cfg.Refresh
}

func notFound(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// endpoints are in ascending order, each once, so that servers that rotate their answers make no news.
func (q question) endpoints(addrs []netip.Addr) []Endpoint {
	plain := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		if a.IsValid() {
			plain = append(plain, a.Unmap())
		}
	}
	slices.SortFunc(plain, netip.Addr.Compare)
	plain = slices.Compact(plain)
	endpoints := make([]Endpoint, len(plain))
	for i, a := range plain {
		endpoints[i] = Endpoint{Addr: netip.AddrPortFrom(a, q.port).String()}
	}
	return endpoints
}
