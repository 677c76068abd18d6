package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// cluster is a Consul of three servers, and an agent for each of two hosts, which are this machine twice.
type cluster struct {
	servers, agents []*agent
	ports           *block
}

// agentsDir is what the agents have in the folder of the run, one folder each.
const agentsDir = "consul"

// startCluster returns when all know who leads.
func startCluster(ctx context.Context, binary, dir string) (*cluster, error) {
	c := new(cluster)
	err := c.prepare(binary, filepath.Join(dir, agentsDir))
	if err == nil {
		err = c.start(ctx)
	}
	if err != nil {
		c.end()
	}
	return c, err
}

func (c *cluster) prepare(binary, dir string) error {
	var err error
	if c.ports, err = findBlock(); err != nil {
		return err
	}
	for i := range 5 {
		list, name := &c.servers, fmt.Sprintf("server-%d", i+1)
		if i >= 3 {
			list, name = &c.agents, fmt.Sprintf("agent-%d", i-2)
		}
		p, err := c.ports.ports()
		if err != nil {
			return err
		}
		a, err := newAgent(binary, dir, name, p)
		if err != nil {
			return err
		}
		*list = append(*list, a)
	}
	return nil
}

func (c *cluster) start(ctx context.Context) error {
	for i, a := range c.all() {
		more := map[string]any{}
		if i < len(c.servers) {
			more = map[string]any{
				"server": true, "bootstrap_expect": len(c.servers),
				"connect": map[string]any{"enabled": false}, "peering": map[string]any{"enabled": false},
			}
		}
		if err := a.configure(i+1, c.servers, more); err != nil {
			return err
		}
		if err := a.start(); err != nil {
			return err
		}
	}
	for _, a := range c.all() {
		if err := a.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) all() []*agent {
	return slices.Concat(c.servers, c.agents)
}

// end ends all of them.
func (c *cluster) end() {
	for _, a := range c.all() {
		a.kill()
	}
	if c.ports != nil {
		c.ports.lock.Close()
	}
}

var errNoLeader = errors.New("consul: the servers have no leader")

// leader waits until a server that runs says of itself that it leads.
func (c *cluster) leader(ctx context.Context) (leader *agent, err error) {
	err = shop.Until(ctx, errNoLeader, func() (bool, error) {
		for _, s := range c.servers {
			if s.leader(ctx) == s.raft() {
				leader = s
			}
		}
		return leader != nil, nil
	})
	return leader, err
}
