package client

import (
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/meshtls"
)

// vet reports what of a policy this client cannot do, whatever the policy itself says.
func (cfg Config) vet(p *traffic.Policy) error {
	tls := meshtls.New(cfg.Identity, cfg.ServerID, true, cfg.Logger)
	var errs []error
	check := func(at string, s *traffic.Settings) {
		if err := tls.Check(s.TLS); err != nil {
			errs = append(errs, fmt.Errorf("%s.TLS: %w", at, err))
		}
		if field := ofEndpoints(s); field != "" && cfg.Discovery == nil {
			errs = append(errs, fmt.Errorf("%s.%s: needs Config.Discovery: without it connections are the caller's own", at, field))
		}
	}
	for i, d := range p.Destinations {
		at := fmt.Sprintf("traffic: Destinations[%d] (%s)", i, d.Service) // who wrote manifests knows it by that
		check(at, &d.Settings)
		for j, s := range d.Subsets {
			check(fmt.Sprintf("%s.Subsets[%d]", at, j), &s.Settings)
		}
	}
	return errors.Join(errs...)
}

// ofEndpoints is a field of the settings that is about endpoints and the connections to them; empty where none is given.
func ofEndpoints(s *traffic.Settings) string {
	switch {
	case s.TLS != nil:
		return "TLS"
	case s.Connections != nil:
		return "Connections"
	case s.Balance != nil:
		return "Balance"
	case s.Locality != nil:
		return "Locality"
	}
	return ""
}
