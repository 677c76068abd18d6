package discovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/intramesh/intramesh/internal/again"
)

// Resolver looks up the addresses of a host. A [net.Resolver] is one. The lookup must end when ctx does. An answer that
// there is no such host is a [net.DNSError] with IsNotFound.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DNSConfig says how [DNS] asks. Every field may be left zero.
type DNSConfig struct {
	// Port is the port of services that were asked for without one. 0: there is none, and such services are [Absent],
	// since address records do not tell ports.
	Port uint16
	// Suffix is appended to every host before it is looked up: ".prod.svc.cluster.local". IP addresses stay as they are.
	// A dot alone keeps the system's search list out of it.
	Suffix string
	// Refresh is the time between lookups, 10 % to either side so that clients do not ask in step. 0: 30 s.
	Refresh time.Duration
	// Timeout bounds one lookup. 0: 5 s, the default of resolv.conf.
	Timeout time.Duration
	// Resolver does the lookups. Nil: [net.DefaultResolver].
	Resolver Resolver
}

// DNS is a [Source] that looks up A and AAAA records again and again. The service "orders:8080" is port 8080 at every
// address of the host "orders"; addresses are in ascending order.
//
// Failures do not erase good answers. A lookup that fails is reported as [Failed] and tried again with back-off (1 s x1.6
// +-20 % up to 30 s) while the last set holds. That a host does not exist is believed at once where nothing else was ever
// heard. After a good answer it is believed when it has been all that the servers said for a whole Refresh: servers that
// restart or reload a zone deny for a moment what they know, and leaving late costs little, because a host that is truly
// gone does not take calls anyway. Until then a denial counts as a failure, and after it is believed, lookups go on with
// back-off, so that a service that appears is found soon.
//
// Each Watch does its own lookups and there is nothing to close.
type DNS struct {
	cfg DNSConfig
}

var _ Source = (*DNS)(nil)

// NewDNS makes a source. A negative time and a suffix that makes no host name are errors.
func NewDNS(cfg DNSConfig) (*DNS, error) {
	if cfg.Refresh < 0 {
		return nil, fmt.Errorf("discovery: dns: Refresh %v is negative", cfg.Refresh)
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("discovery: dns: Timeout %v is negative", cfg.Timeout)
	}
	if err := validHost("x" + cfg.Suffix); err != nil || cfg.Suffix != "" && !strings.HasPrefix(cfg.Suffix, ".") {
		return nil, fmt.Errorf("discovery: dns: Suffix %q: want a domain with a dot in front", cfg.Suffix)
	}
	if cfg.Refresh == 0 {
		cfg.Refresh = 30 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	return &DNS{cfg: cfg}, nil
}

// Watch looks up the service until ctx ends. A service that is not a host with an optional port is [Absent].
func (d *DNS) Watch(ctx context.Context, service string, fn func(Update)) error {
	q, ok := d.question(service)
	if !ok {
		r := reporter{fn: fn}
		r.gone(ctx)
		<-ctx.Done()
		return nil
	}
	w := dnsWatch{dns: d, question: q, news: reporter{fn: fn}, again: again.BackOff()}
	for ctx.Err() == nil && again.Wait(ctx, w.lookup(ctx)) {
	}
	return nil
}

// question is what to look up for a service.
type question struct {
	host string
	port uint16
}

func (d *DNS) question(service string) (question, bool) {
	q := question{host: service, port: d.cfg.Port}
	if host, port, err := net.SplitHostPort(service); err == nil {
		n, ok := parsePort(port)
		if !ok {
			return q, false
		}
		q = question{host: host, port: n}
	}
	if _, err := netip.ParseAddr(q.host); err != nil {
		q.host += d.cfg.Suffix
	}
	return q, q.port != 0 && validHost(q.host) == nil
}

// ask does one lookup in its own time.
func (d *DNS) ask(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	return d.cfg.Resolver.LookupNetIP(ctx, "ip", host)
}

// pause is the time until the next lookup after a good one.
func (d *DNS) pause() time.Duration {
	return time.Duration(float64(d.cfg.Refresh) * (0.9 + 0.2*rand.Float64()))
}
