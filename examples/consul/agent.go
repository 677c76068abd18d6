package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// agent is a process of Consul: a server, or the agent of a host.
type agent struct {
	*view
	ports

	name   string
	binary string
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{}
}

// newAgent prepares an agent of a cluster, and starts nothing.
func newAgent(binary, dir, name string, p ports) (*agent, error) {
	a := &agent{ports: p, name: name, binary: binary, dir: filepath.Join(dir, name)}
	var err error
	if a.view, err = newView(a.addr()); err != nil {
		return nil, err
	}
	return a, os.MkdirAll(a.dir, 0o700)
}

// addr is that of its HTTP API, and raft what a leader's address looks like where it leads.
func (a *agent) addr() string { return local(a.http) }
func (a *agent) raft() string { return local(a.rpc) }

// configure writes its configuration.
func (a *agent) configure(number int, servers []*agent, more map[string]any) error {
	const off = -1
	var join []string
	for _, s := range servers {
		join = append(join, local(s.serf))
	}
	file := map[string]any{
		"node_name": a.name, "node_id": fmt.Sprintf("00000000-0000-4000-8000-%012d", number), "data_dir": a.data(),
		"pid_file":  a.pidFile(),
		"bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "advertise_addr": "127.0.0.1",
		"retry_join": join, "retry_interval": "1s", "disable_update_check": true, "log_level": "WARN",
		"ports": map[string]any{
			"http": a.http, "serf_lan": a.serf, "server": a.rpc,
			"dns": off, "serf_wan": off, "grpc": off, "grpc_tls": off, "https": off,
		},
		// A busy machine is not a broken one: who is silent for some seconds is not given up, and keeps the lead.
		"gossip_lan":  map[string]any{"probe_interval": "2s", "probe_timeout": "1900ms", "suspicion_mult": 10},
		"performance": map[string]any{"raft_multiplier": 2, "rpc_hold_timeout": "20s"},
	}
	maps.Copy(file, more)
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.configFile(), text, 0o600)
}

func (a *agent) configFile() string { return filepath.Join(a.dir, "agent.json") }
func (a *agent) data() string       { return filepath.Join(a.dir, "data") }
func (a *agent) pidFile() string    { return filepath.Join(a.dir, "pid") }

// start runs it. It has nothing of the environment that would configure it otherwise.
func (a *agent) start() error {
	log, err := os.OpenFile(a.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	a.cmd = exec.Command(a.binary, "agent", "-config-file="+a.configFile())
	a.cmd.Stdout, a.cmd.Stderr, a.cmd.SysProcAttr = log, log, tied()
	a.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CONSUL_") })
	if err := a.cmd.Start(); err != nil {
		return err
	}
	a.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(ended)
	}(a.cmd, a.ended)
	return nil
}

func (a *agent) logFile() string { return filepath.Join(a.dir, "log") }

// ready waits until it knows who leads.
func (a *agent) ready(ctx context.Context) error {
	return shop.Until(ctx, fmt.Errorf("%s knows of no leader", a.name), func() (bool, error) {
		select {
		case <-a.ended:
			text, _ := os.ReadFile(a.logFile())
			return false, fmt.Errorf("%s has ended:\n%s", a.name, text)
		default:
			return a.leader(ctx) != "", nil
		}
	})
}

// kill ends it as a crash does.
func (a *agent) kill() {
	if a.ended != nil {
		_ = a.cmd.Process.Kill()
		<-a.ended
	}
}

// forget takes from it, when it has ended, all that it has kept.
func (a *agent) forget() error { return os.RemoveAll(a.data()) }
