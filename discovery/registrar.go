package discovery

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Registrar announces instances of services in a registry, where others find them through a [Source].
type Registrar interface {
	// Register announces an instance, and returns when the registry knows it. A registration that cannot be honoured is
	// an error at once; while the registry cannot be reached it is tried again with back-off until ctx ends. Then it
	// returns soon, and has tried to take back what the registry may have heard.
	//
	// From then on the registrar keeps it announced, also when the registry has lost its state, until the Lease is left.
	Register(ctx context.Context, r Registration) (Lease, error)
}

// Lease is an instance that is registered. Its methods may be called side by side; server.Server.Register calls them in
// its drain.
type Lease interface {
	// Drain takes the instance out of service: it stays registered and no new callers are sent to it. It may be called
	// again, and lasts until Leave; after Leave it does nothing. The end of ctx ends it with an error.
	Drain(ctx context.Context) error
	// Leave removes the instance from the registry and ends what keeps it there. It returns when the registry has done
	// so, or with an error when ctx ends before; then the registry removes it by itself, see Registration.RemoveAfter.
	// After an error it may be called again, and does nothing when the instance has left.
	Leave(ctx context.Context) error
}

// Registration is one instance of a service.
type Registration struct {
	// Service is its name. It is needed.
	Service string
	// ID tells the instance from all others on its agent. Empty: the service and Endpoint.Addr, so that two instances on
	// one host differ, and one that starts again replaces what it was.
	ID string
	// Endpoint is where it is reached and what is known of it. Addr is needed, and is "host:port".
	Endpoint Endpoint
	// Tags are further words about it, where the registry has them.
	Tags []string
	// Checks tell the registry how to see that it works. None: a TTL of 15 s.
	Checks []Check
	// Ready says whether it should be sent calls; server.Server.Ready is such a function. TTL checks follow it. Nil:
	// it always should.
	Ready func() bool
	// RemoveAfter is how long its checks may fail before the registry removes it, so that a crash leaves nothing for
	// ever. 0: 1 min, which is also the least that Consul honours; negative: never.
	RemoveAfter time.Duration
}

// Check is one way to see that an instance works. Exactly one of HTTP, GRPC, TCP and TTL is set.
type Check struct {
	// Name is shown to people. Empty: the kind.
	Name string
	// HTTP is a URL; an answer from 200 to 299 passes, 429 warns.
	HTTP string
	// GRPC is "host:port", with "/service" for one of its services, and asks grpc.health.v1.
	GRPC string
	// TCP is "host:port"; a connection passes.
	TCP string
	// TTL is how long word from the instance itself is valid, which is sent three times in that span.
	TTL time.Duration
	// Interval is the time between HTTP, GRPC and TCP checks. 0: 10 s.
	Interval time.Duration
	// Timeout bounds one HTTP, GRPC or TCP check. 0: 5 s.
	Timeout time.Duration
	// TLS is set for GRPC and TCP over TLS; HTTP has https:// for it. TLSServerName is the name to verify, where it is not
	// the host's.
	TLS           bool
	TLSServerName string
	// TLSSkipVerify is set where the one who checks has no means to verify the instance's certificate.
	TLSSkipVerify bool
}

// Validate reports what is wrong with the registration, each error with the name of its field.
func (r Registration) Validate() error {
	errs := []error{validName(r.Service)}
	if err := r.Endpoint.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("field Endpoint: %w", err))
	}
	for i, c := range r.Checks {
		if err := c.validate(); err != nil {
			errs = append(errs, fmt.Errorf("field Checks[%d]: %w", i, err))
		}
	}
	return prefixed("registration", errors.Join(errs...))
}

func (c Check) validate() error {
	kinds := 0
	for _, set := range []bool{c.HTTP != "", c.GRPC != "", c.TCP != "", c.TTL != 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return fmt.Errorf("%d of HTTP, GRPC, TCP and TTL are set: want one", kinds)
	case c.TTL < 0 || c.Interval < 0 || c.Timeout < 0:
		return errors.New("TTL, Interval and Timeout must not be negative")
	case c.TTL != 0 && (c.Interval != 0 || c.Timeout != 0):
		return errors.New("TTL takes no Interval and no Timeout: the instance speaks by itself")
	case c.TLS && c.GRPC == "" && c.TCP == "":
		return errors.New("TLS is for GRPC and TCP; HTTP has https:// for it")
	}
	overTLS := c.TLS
	switch {
	case c.HTTP != "":
		u, err := url.Parse(c.HTTP)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("HTTP %q: want an http or https URL", c.HTTP)
		}
		overTLS = u.Scheme == "https"
	case c.GRPC != "":
		addr, _, _ := strings.Cut(c.GRPC, "/")
		if err := validTarget(addr); err != nil {
			return fmt.Errorf("GRPC %q: %w", c.GRPC, err)
		}
	case c.TCP != "":
		if err := validTarget(c.TCP); err != nil {
			return fmt.Errorf("TCP %q: %w", c.TCP, err)
		}
	}
	if !overTLS && (c.TLSServerName != "" || c.TLSSkipVerify) {
		return errors.New("TLSServerName and TLSSkipVerify are set, and the check is not over TLS")
	}
	return nil
}

// validTarget takes what a registry on another host can connect to.
func validTarget(addr string) error {
	if strings.HasPrefix(addr, "unix:") {
		return errors.New(`want "host:port"`)
	}
	return validAddr(addr)
}
