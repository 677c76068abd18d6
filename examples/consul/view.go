package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// view is what Consul knows, for the terminal. The services have no part in it.
type view struct{ *api.Client }

// newView asks the agent at an address, or, where that is empty, the one of the environment.
func newView(addr string) (*view, error) {
	cfg := api.DefaultConfig()
	if addr != "" {
		cfg.Address = addr
	}
	c, err := api.NewClient(cfg)
	return &view{c}, err
}

// passing says whether Consul sends callers to a process.
func (v *view) passing(ctx context.Context, p *shop.Process) (bool, error) {
	all, _, err := v.Health().Service(prefix+p.Service, "", true, new(api.QueryOptions).WithContext(ctx))
	for _, e := range all {
		if net.JoinHostPort(e.Service.Address, strconv.Itoa(e.Service.Port)) == p.Addr {
			return true, nil
		}
	}
	return false, err
}

// becomes waits until Consul sends callers to a process, or no longer does. An answer that fails is none.
func (v *view) becomes(ctx context.Context, p *shop.Process, passing bool) error {
	late := fmt.Errorf("consul: %s is still passing: %t", p.Name, !passing)
	return shop.Until(ctx, late, func() (bool, error) {
		is, err := v.passing(ctx, p)
		return err == nil && is == passing, nil
	})
}

// knows waits until the agent has a process among its own instances.
func (v *view) knows(ctx context.Context, p *shop.Process) error {
	late := fmt.Errorf("consul: the agent has not heard of %s again", p.Name)
	return shop.Until(ctx, late, func() (bool, error) {
		all, err := v.Agent().ServicesWithFilterOpts("", new(api.QueryOptions).WithContext(ctx))
		for _, s := range all {
			if err == nil && net.JoinHostPort(s.Address, strconv.Itoa(s.Port)) == p.Addr {
				return true, nil
			}
		}
		return false, nil
	})
}

// answers says why there is nobody to ask, if so. The shop itself would wait for a Consul that is away.
func (v *view) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := v.Status().LeaderWithQueryOptions(new(api.QueryOptions).WithContext(ctx))
	return err
}

// leader is the address that the agent knows of, empty where it knows of none.
func (v *view) leader(ctx context.Context) string {
	addr, err := v.Status().LeaderWithQueryOptions(new(api.QueryOptions).WithContext(ctx))
	if err != nil {
		return ""
	}
	return addr
}
