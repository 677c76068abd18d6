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
	check := func(at string, t *traffic.TLS) {
		if err := tls.Check(t); err != nil {
			errs = append(errs, fmt.Errorf("%s.TLS: %w", at, err))
		}
	}
	for i, d := range p.Destinations {
		at := fmt.Sprintf("traffic: Destinations[%d]", i)
		check(at, d.TLS)
		for j, s := range d.Subsets {
			check(fmt.Sprintf("%s.Subsets[%d]", at, j), s.TLS)
		}
	}
	return errors.Join(errs...)
}
