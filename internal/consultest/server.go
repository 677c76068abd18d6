package consultest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hashicorp/consul/api"
)

// Server is an agent: a server, or a client agent of a cluster.
type Server struct {
	t      testing.TB
	cfg    Config
	name   string
	dir    string
	ports  ports
	binary string
	proc   *process
}

var serial atomic.Int64

// Start starts an agent and waits until it can answer. It ends with the test.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := prepare(t, cfg)
	s.Start()
	return s
}

// Cluster starts n servers that keep their data and waits until they have a leader and all follow it.
func Cluster(t testing.TB, n int, cfg Config) []*Server {
	t.Helper()
	cfg.servers = n
	all := make([]*Server, n)
	for i := range all {
		all[i] = prepare(t, cfg)
		cfg.peers = append(cfg.peers, all[i].ports.serf)
	}
	for _, s := range all {
		s.cfg.peers = cfg.peers
		s.Launch()
	}
	for _, s := range all {
		s.WaitReady()
	}
	return all
}

func prepare(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := &Server{t: t, cfg: cfg, binary: Binary(t), dir: t.TempDir(), ports: freePorts(t)}
	s.name = fmt.Sprintf("node-%d", serial.Add(1))
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", s.name, s.logTail())
		}
	})
	return s
}

// Start starts an agent that was stopped, on the same ports, and waits until it can answer.
func (s *Server) Start() {
	s.t.Helper()
	s.Launch()
	s.WaitReady()
}

// Launch starts an agent that was stopped and waits for nothing: without its servers it does not get ready.
func (s *Server) Launch() {
	s.t.Helper()
	if s.proc != nil && s.proc.running() {
		s.t.Fatalf("%s runs already", s.name)
	}
	args := []string{"agent", "-config-file=" + s.cfg.write(s.t, s.name, s.dir, s.ports)}
	if s.cfg.dev() {
		args = append(args, "-dev")
	}
	p, err := launch(s.binary, s.logPath(), args...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.proc = p
}

// Stop ends the agent as an administrator would; it does not leave its cluster.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the agent at once, a paused one too.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Pause stops the agent in its tracks: connections stay, and nothing is answered.
func (s *Server) Pause() { _ = s.proc.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { _ = s.proc.cmd.Process.Signal(syscall.SIGCONT) }

// Restart stops the agent and starts it again, on the same ports. In dev mode it has forgotten everything.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Forget takes from a stopped agent all that it has kept.
func (s *Server) Forget() {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.dir, "data")); err != nil {
		s.t.Fatal(err)
	}
}

// Addr is "host:port" of its HTTP API.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports.http) }

// HTTPSAddr is "host:port" of its HTTP API over TLS, where Config.HTTPS is set.
func (s *Server) HTTPSAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports.https) }

// Name is the name of its node.
func (s *Server) Name() string { return s.name }

// RaftAddr is what a leader's address looks like where this server leads.
func (s *Server) RaftAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports.rpc) }

// Client is a client of its API that may do everything. It makes a connection for each request, so that none is left, and
// an agent that does not answer is an error after a while.
func (s *Server) Client() *api.Client {
	s.t.Helper()
	cfg := api.DefaultNonPooledConfig()
	cfg.Address, cfg.Token = s.Addr(), s.cfg.Token
	cfg.Transport.ResponseHeaderTimeout = patience / 4
	c, err := api.NewClient(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *Server) end(sig os.Signal) {
	if s.proc != nil {
		s.proc.end(sig)
	}
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "agent.log") }

func (s *Server) logTail() string {
	data, _ := os.ReadFile(s.logPath())
	lines := strings.Split(string(data), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// clean leaves out what would configure the agent from outside.
func clean(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "CONSUL_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// StartAll starts servers of one cluster that were stopped, none of which can answer before the others are there.
func StartAll(servers []*Server) {
	for _, s := range servers {
		s.t.Helper()
		s.Launch()
	}
	for _, s := range servers {
		s.WaitReady()
	}
}
