package client

import (
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/meshtls"
)

// validateIdentity checks what can be known when the client is made: a static source's endpoints are, a registry's are
// not, and are checked before they are connected to.
func (cfg Config) validateIdentity() (errs []error) {
	if cfg.Identity == nil {
		if cfg.ServerID != nil {
			errs = append(errs, errors.New("client: Config.ServerID: needs Config.Identity"))
		}
		return errs
	}
	if cfg.Discovery == nil {
		return append(errs, errors.New("client: Config.Identity: needs Config.Discovery: without it connections are the caller's own"))
	}
	static, _ := cfg.Discovery.(discovery.Static)
	tls := meshtls.New(cfg.Identity, cfg.ServerID, false, cfg.Logger)
	for service, endpoints := range static {
		for _, e := range endpoints {
			if _, err := tls.Expect(service, e); err != nil {
				errs = append(errs, fmt.Errorf("client: Config.Discovery: endpoint %s of %s: %w", e.Addr, service, err))
			}
		}
	}
	return errs
}
