package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// addrEnv is where Consul's own tools look for the agent, and package consul does.
const addrEnv = "CONSUL_HTTP_ADDR"

// open finds Consul, or starts one.
func (s *show) open(ctx context.Context, dir string, out io.Writer) (end func(), err error) {
	if s.given == "" {
		s.given = os.Getenv(addrEnv)
	}
	if s.given != "" {
		if s.consul, err = newView(s.given); err == nil {
			err = s.consul.answers(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("no Consul at %s: %w", s.given, err)
		}
		fmt.Fprintf(out, "Consul at %s is yours: its agents and servers are left alone\n", s.given)
		return nil, nil
	}
	for _, v := range os.Environ() { // what is said of another Consul does not hold for ours
		if key, _, _ := strings.Cut(v, "="); strings.HasPrefix(key, "CONSUL_") {
			os.Unsetenv(key)
		}
	}
	binary, err := consulBinary(ctx)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if s.cluster, err = startCluster(ctx, binary, dir); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Consul has a leader after %s: server-1 to -3, and agent-1 and -2 for two hosts\n",
		shop.Round(time.Since(start)))
	s.consul = s.cluster.agents[0].view
	return s.cluster.end, nil
}

// env tells a process where the agent of its host is. The first of a service is on the first host, the second on the
// second, and so on.
func (s *show) env(name string) []string {
	if s.cluster == nil {
		return []string{addrEnv + "=" + s.given}
	}
	return []string{addrEnv + "=" + s.cluster.agentOf(name).addr()}
}

func (c *cluster) agentOf(name string) *agent {
	odd := strings.ContainsRune("13579", rune(name[len(name)-1]))
	if odd {
		return c.agents[0]
	}
	return c.agents[1]
}

// list waits until Consul sends callers to a process, which has registered by then.
func (s *show) list(ctx context.Context, p *shop.Process) error {
	return s.consul.becomes(ctx, p, true)
}
