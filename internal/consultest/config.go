package consultest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// Config says what kind of agent is started. The zero Config is a server in dev mode, which forgets everything when it
// stops.
type Config struct {
	// Durable is set for a server that keeps its data over a restart.
	Durable bool
	// Join are servers whose cluster a client agent joins. Such an agent keeps its own services over a restart, and what
	// it knows can be taken from it by Forget. Empty: this agent is a server.
	Join []*Server
	// Token switches access control on: nothing is allowed by default, and this token may do everything. It is a UUID.
	Token string
	// Datacenter is the one that it is in. Empty: dc1. JoinWAN are servers of others that it is federated with; they need
	// none in return. Both are for servers.
	Datacenter string
	JoinWAN    []*Server
	// HTTPS are the fields of its "tls.https", such as cert_file. With any it has a port for HTTPS too.
	HTTPS map[string]any
	// Extra are further fields of the agent's configuration, as in its JSON files.
	Extra map[string]any

	servers int   // of the cluster; 0: dev mode
	peers   []int // serf ports of the cluster
}

// write makes the configuration file and returns its path.
func (c Config) write(t testing.TB, name, dir string, p ports) string {
	t.Helper()
	const off = -1
	file := map[string]any{
		"node_name": name, "node_id": id(name), "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "advertise_addr": "127.0.0.1",
		"disable_update_check": true, "log_level": "INFO", "leave_on_terminate": false,
		"performance": map[string]any{"raft_multiplier": 1},
		"limits":      map[string]any{"http_max_conns_per_client": 2000},
		"ports": map[string]any{
			"http": p.http, "serf_lan": p.serf, "server": p.rpc,
			"dns": off, "serf_wan": p.wan, "grpc": off, "grpc_tls": off, "https": off,
		},
	}
	if c.Datacenter != "" {
		file["datacenter"] = c.Datacenter
	}
	if len(c.JoinWAN) > 0 {
		file["retry_join_wan"], file["retry_interval_wan"] = wanAddrs(c.JoinWAN), "1s"
	}
	if c.HTTPS != nil {
		file["ports"].(map[string]any)["https"] = p.https
		file["tls"] = map[string]any{"https": c.HTTPS}
	}
	if c.Token != "" {
		file["acl"] = map[string]any{
			"enabled": true, "default_policy": "deny", "enable_token_persistence": true,
			"tokens": map[string]any{"initial_management": c.Token, "agent": c.Token},
		}
	}
	if !c.dev() {
		file["data_dir"] = filepath.Join(dir, "data")
		var join []string
		for _, s := range c.Join {
			join = append(join, fmt.Sprintf("127.0.0.1:%d", s.ports.serf))
		}
		for _, port := range c.peers {
			join = append(join, fmt.Sprintf("127.0.0.1:%d", port))
		}
		file["retry_join"], file["retry_interval"] = join, "1s"
	}
	if len(c.Join) == 0 && !c.dev() {
		file["server"], file["bootstrap_expect"] = true, max(1, c.servers)
		file["connect"] = map[string]any{"enabled": true}
	}
	maps.Copy(file, c.Extra)
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "agent.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wanAddrs(servers []*Server) []string {
	all := make([]string, len(servers))
	for i, s := range servers {
		all[i] = fmt.Sprintf("127.0.0.1:%d", s.ports.wan)
	}
	return all
}

// id is that of a node, which stays what it is when the agent forgets everything: with another the servers would not let it
// have its name back as long as they took the old one for alive.
func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (c Config) dev() bool { return !c.Durable && len(c.Join) == 0 && c.servers == 0 }
