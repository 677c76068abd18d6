package client

import (
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
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
	modeOf := cfg.modes(tls)
	for service, endpoints := range static {
		mode := modeOf(service)
		if mode != traffic.TLSMesh && mode != "" {
			continue // nobody proves an identity of the mesh there
		}
		for _, e := range endpoints {
			_, err := tls.Expect(service, e)
			if mode == "" && errors.Is(err, meshtls.ErrNobody) {
				continue // the policy may not ask for one
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("client: Config.Discovery: endpoint %s of %s: %w", e.Addr, service, err))
			}
		}
	}
	return errs
}

// modes tells how the connections to a service are secured; empty where the policy is not known yet.
func (cfg Config) modes(tls *meshtls.Client) func(service string) traffic.TLSMode {
	mode := tls.Mode(nil)
	if cfg.Traffic == nil {
		return func(string) traffic.TLSMode { return mode }
	}
	p, known := stack.RoutesOf(cfg.Traffic)
	table, err := traffic.Compile(p, cfg.Local)
	if !known || err != nil { // which is said elsewhere
		return func(string) traffic.TLSMode { return "" }
	}
	return func(service string) traffic.TLSMode {
		if s, _ := table.Settings(service, ""); s != nil {
			return tls.Mode(s.TLS)
		}
		return mode
	}
}
