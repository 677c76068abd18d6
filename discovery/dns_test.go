package discovery_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

func newDNS(t *testing.T, cfg discovery.DNSConfig) *discovery.DNS {
	t.Helper()
	d, err := discovery.NewDNS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ips(addrs ...string) (parsed []netip.Addr) {
	for _, a := range addrs {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}

// forget takes all the news that there is.
func (f *follower) forget() (failures int) {
	for {
		select {
		case u := <-f.news:
			f.set = u.Apply(f.set)
			if u.Kind == discovery.Failed {
				failures++
			}
		default:
			return failures
		}
	}
}

func TestDNSAnswersInOrderAndOnce(t *testing.T) {
	z := newZone()
	z.set("orders", ips("10.0.0.2", "::ffff:10.0.0.1", "10.0.0.1", "2001:db8::1"))
	u := first(t, newDNS(t, discovery.DNSConfig{Resolver: z}), "orders:8080")
	if got := strings.Join(addresses(u.Endpoints), " "); got != "10.0.0.1:8080 10.0.0.2:8080 [2001:db8::1]:8080" {
		t.Error(got)
	}
}

func TestDNSQuestions(t *testing.T) {
	z := newZone()
	z.set("orders", ips("10.0.0.1"))
	z.set("orders.shop", ips("10.0.0.2"))
	z.set("rooted.", ips("10.0.0.3"))
	z.set("127.0.0.1", ips("127.0.0.1"))
	z.set("::1", ips("::1"))
	for _, c := range []struct {
		cfg           discovery.DNSConfig
		service, want string // no want: absent
	}{
		{discovery.DNSConfig{}, "orders:1", "10.0.0.1:1"},
		{discovery.DNSConfig{}, "orders", ""},
		{discovery.DNSConfig{Port: 80}, "orders", "10.0.0.1:80"},
		{discovery.DNSConfig{Port: 80}, "orders:81", "10.0.0.1:81"},
		{discovery.DNSConfig{Suffix: ".shop"}, "orders:1", "10.0.0.2:1"},
		{discovery.DNSConfig{Suffix: "."}, "rooted:1", "10.0.0.3:1"},
		{discovery.DNSConfig{Suffix: ".shop"}, "127.0.0.1:1", "127.0.0.1:1"},
		{discovery.DNSConfig{Port: 80, Suffix: ".shop"}, "[::1]:1", "[::1]:1"},
		{discovery.DNSConfig{}, "orders:0", ""},
		{discovery.DNSConfig{}, "orders:99999", ""},
		{discovery.DNSConfig{}, "orders:http", ""},
		{discovery.DNSConfig{Port: 80}, "or ders", ""},
		{discovery.DNSConfig{Port: 80}, "", ""},
	} {
		c.cfg.Resolver = z
		u := first(t, newDNS(t, c.cfg), c.service)
		if got := strings.Join(addresses(u.Endpoints), " "); got != c.want || (c.want == "") != (u.Kind == discovery.Absent) {
			t.Errorf("%q with %+v: %+v, expected %q", c.service, c.cfg, u, c.want)
		}
	}
}

// Lookups are 30 s apart, give or take 10 %, and say something only when something changed.
func TestDNSRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("orders", ips("10.0.0.1", "10.0.0.2", "10.0.0.3"))
		w := follow(t, newDNS(t, discovery.DNSConfig{Resolver: z, Port: 80}), "orders")
		w.is(discovery.Set, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
		z.set("orders", ips("10.0.0.3", "10.0.0.1", "10.0.0.2")) // rotated
		time.Sleep(time.Hour)
		w.quiet()
		if n := z.count(); n < 120*9/10 || n > 121*11/9 {
			t.Errorf("%d lookups in an hour", n)
		}
		z.set("orders", ips("10.0.0.1", "10.0.0.3"))
		changed := time.Now()
		if u := w.is(discovery.Diff, "10.0.0.1:80", "10.0.0.3:80"); len(u.Endpoints) != 0 {
			t.Errorf("heard %+v", u)
		}
		if d := time.Since(changed); d > 33*time.Second {
			t.Errorf("the change was seen after %v", d)
		}
		w.stop()
	})
}

// Failures keep the set and are tried again with back-off: 1 s x1.6 up to 30 s.
func TestDNSBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("orders", ips("10.0.0.1"))
		w := follow(t, newDNS(t, discovery.DNSConfig{Resolver: z, Port: 80}), "orders")
		w.is(discovery.Set, "10.0.0.1:80")
		z.fail(errors.New("server misbehaving"))
		u := w.is(discovery.Failed, "10.0.0.1:80")
		if !strings.Contains(u.Err.Error(), "discovery: dns: look up orders: ") || !strings.Contains(u.Err.Error(), "misbehaving") {
			t.Errorf("heard %v", u.Err)
		}
		before := time.Now()
		for want := time.Second; want < 40*time.Second; want = want * 16 / 10 {
			w.is(discovery.Failed, "10.0.0.1:80")
			d, limit := time.Since(before), min(want, 30*time.Second)
			if d < limit*79/100 || d > limit*121/100 {
				t.Errorf("the next lookup came after %v, expected about %v", d, limit)
			}
			before = time.Now()
		}
		time.Sleep(time.Hour)
		if n := w.forget(); n < 95 || n > 155 {
			t.Errorf("%d lookups in an hour of failures", n)
		}
		z.fail(nil)
		time.Sleep(40 * time.Second)
		w.quiet() // as it was
		z.fail(errors.New("again"))
		w.is(discovery.Failed, "10.0.0.1:80")
		before = time.Now()
		w.is(discovery.Failed, "10.0.0.1:80")
		if d := time.Since(before); d > 1300*time.Millisecond {
			t.Errorf("after a good answer the back-off goes on at %v", d)
		}
		w.stop()
	})
}

// A denial in passing changes nothing; one that lasts for a Refresh is the truth.
func TestDNSDenials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("orders", ips("10.0.0.1"))
		w := follow(t, newDNS(t, discovery.DNSConfig{Resolver: z, Port: 80}), "orders")
		w.is(discovery.Set, "10.0.0.1:80")
		for range 3 {
			z.deny(true)
			w.is(discovery.Failed, "10.0.0.1:80")
			time.Sleep(20 * time.Second)
			z.deny(false)
			time.Sleep(time.Minute)
			w.forget()
			if len(w.set) != 1 {
				t.Fatal("20 s of denials took the endpoint away")
			}
		}
		z.deny(true)
		w.is(discovery.Failed, "10.0.0.1:80")
		start := time.Now()
		for w.next().Kind == discovery.Failed {
		}
		if d := time.Since(start); len(w.set) != 0 || d < 30*time.Second || d > time.Minute {
			t.Errorf("after %v there is %v", d, w.set)
		}
		time.Sleep(time.Hour)
		w.quiet()
		z.deny(false)
		w.is(discovery.Set, "10.0.0.1:80")
		w.stop()
	})
}

// A service that appears just after it was asked for is found in a second or two, not after a whole Refresh.
func TestDNSAbsentAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		w := follow(t, newDNS(t, discovery.DNSConfig{Resolver: z, Port: 80}), "orders")
		w.is(discovery.Absent)
		z.set("orders", ips("10.0.0.1"))
		start := time.Now()
		w.is(discovery.Set, "10.0.0.1:80")
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("found after %v", d)
		}
		w.stop()
	})
}

// hanging never answers.
type hanging struct{}

func (hanging) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, &net.DNSError{Err: ctx.Err().Error(), Name: host, IsTimeout: true}
}

func TestDNSTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := follow(t, newDNS(t, discovery.DNSConfig{Resolver: hanging{}, Port: 80, Timeout: 3 * time.Second}), "orders")
		w.is(discovery.Failed)
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("failed after %v", d)
		}
		time.Sleep(2 * time.Second) // in the middle of a lookup
		w.stop()
		w.quiet()
	})
}

func TestNewDNSErrors(t *testing.T) {
	for want, cfg := range map[string]discovery.DNSConfig{
		"Refresh -1ns":       {Refresh: -1},
		"Timeout -1ns":       {Timeout: -1},
		`Suffix "shop"`:      {Suffix: "shop"},
		`Suffix ".sh op"`:    {Suffix: ".sh op"},
		`Suffix ".shop.:80"`: {Suffix: ".shop.:80"},
	} {
		if _, err := discovery.NewDNS(cfg); err == nil || !strings.Contains(err.Error(), "discovery: dns: "+want) {
			t.Errorf("got %v, expected something of %q", err, want)
		}
	}
}

// The resolver of the standard library is a Resolver, and knows addresses without asking anybody.
func TestDNSWithTheSystemsResolver(t *testing.T) {
	u := first(t, newDNS(t, discovery.DNSConfig{}), "127.0.0.1:8080")
	if got := addresses(u.Endpoints); len(got) != 1 || got[0] != "127.0.0.1:8080" {
		t.Errorf("heard %+v", u)
	}
}
