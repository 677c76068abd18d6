package discovery

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Static is a [Source] of endpoints that never change, by service, for laptops, tests and fixed addresses:
//
//	discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}}}
//
// A key is a name as callers ask for it: "orders" answers for mesh://orders and http://orders, "orders:9090" for the
// same with that port. It is found exactly or not at all: a name asked for with a port where only the bare name is
// listed is [Absent]. A name without endpoints is known and empty.
//
// It is a [Lister]: a client takes its names as mesh hosts without further configuration. The map and all that is in it
// must not be changed while a client uses it.
type Static map[string][]Endpoint

var (
	_ Source = Static(nil)
	_ Lister = Static(nil)
)

// Watch reports what is listed for the service and waits for ctx to end. Endpoints that are not valid are an error, and
// none of that service is reported.
func (s Static) Watch(ctx context.Context, service string, fn func(Update)) error {
	endpoints, known := s[service]
	if err := validSet(service, endpoints); err != nil {
		return prefixed("static", err)
	}
	r := reporter{fn: fn}
	if known {
		r.set(ctx, slices.Clone(endpoints))
	} else {
		r.gone(ctx)
	}
	<-ctx.Done()
	return nil
}

// Services lists the names in ascending order.
func (s Static) Services() []string { return slices.Sorted(maps.Keys(s)) }

// Validate reports everything in the map that cannot be honoured: names that nobody can ask for, endpoints that are not
// valid, addresses that a service lists twice. Each error names the service and the endpoint's index.
func (s Static) Validate() error {
	var errs []error
	for _, name := range s.Services() {
		errs = append(errs, validName(name), validSet(name, s[name]))
	}
	return prefixed("static", errors.Join(errs...))
}
