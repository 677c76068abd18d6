package consul

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says where Consul is and what is asked of it. Every field may be left zero. What is said here goes before the
// environment, which has the variables of Consul's own tools: CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, CONSUL_HTTP_TOKEN_FILE,
// CONSUL_HTTP_AUTH, CONSUL_HTTP_SSL, CONSUL_HTTP_SSL_VERIFY, CONSUL_CACERT, CONSUL_CAPATH, CONSUL_CLIENT_CERT,
// CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_NAMESPACE, CONSUL_PARTITION.
type Config struct {
	// Address is that of the agent, "host:port", with http://, https:// or unix:// in front where it matters, and a path
	// behind it where a gateway needs one. Empty: the environment, else localhost:8500.
	Address string
	// Token is the ACL token. TokenFile is a file that holds it, and is read for every request, so that a new token is
	// used at once; while it cannot be read or is empty the last one is used. One of them at most. Empty: the environment,
	// else the agent's own default token.
	Token     string
	TokenFile string
	// TLS is used for https, and asks for it where Address has no scheme. Nil: the environment.
	TLS *tls.Config
	// Datacenter is asked for services that name none. Empty: the agent's.
	Datacenter string
	// Namespace and Partition are those of Consul Enterprise; other servers refuse every request that has them. Empty: the
	// environment, else those of the token.
	Namespace string
	Partition string

	// Services says what is meant by a name where it is not simply a service of Consul: a subset by tags or by a filter,
	// another name, another datacenter. The key is the name as the mesh asks for it.
	Services map[string]Query
	// Warning takes instances with a check in warning too, with their weight for warning. False: passing ones only. A
	// weight of 0 for warning leaves them out.
	Warning bool
	// TaggedAddress is which of an instance's addresses is used where it has several: "lan", "wan", "lan_ipv6", or one of
	// its own. Empty, and where an instance has none of that name: its address, else that of its node.
	TaggedAddress string
	// Stale lets servers answer that do not lead, also while there is no leader. Answers may be some milliseconds behind.
	Stale bool
	// Cached lets the agent answer from its cache, which it keeps up to date, also while its servers are away; many
	// processes on one host then cost the servers one query a service.
	Cached bool
	// Wait is the longest time that Consul holds a question open while nothing changes. 0: 1 min. At most 10 min.
	Wait time.Duration
	// Logger hears when Consul stops to answer and when it does again, once each and for each service, and of instances
	// that cannot be used. Nil: [slog.Default].
	Logger *slog.Logger
}

// Query is what is asked of Consul for one name.
type Query struct {
	// Service is its name in Consul. It is needed.
	Service string
	// Datacenter is asked. Empty: Config.Datacenter.
	Datacenter string
	// Tags must all be there.
	Tags []string
	// Filter is an expression over health answers, in Consul's language: `Service.Meta.version == "v2"`.
	Filter string
	// Connect asks for the instances that speak the mesh's mutual TLS: native ones and sidecars.
	Connect bool
}

// check completes the configuration.
func (c *Config) check() error {
	if c.Token != "" && c.TokenFile != "" {
		return errors.New("both Token and TokenFile are set: want one of them at most")
	}
	if c.Wait < 0 || c.Wait > 10*time.Minute {
		return fmt.Errorf("field Wait: %v: want 0 to 10 min", c.Wait)
	}
	if c.Wait == 0 {
		c.Wait = time.Minute
	}
	for name, q := range c.Services {
		if q.Service == "" {
			return fmt.Errorf("field Services[%q]: Service is empty", name)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}
