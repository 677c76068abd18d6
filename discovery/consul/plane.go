package consul

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

// ErrClosed says that the Plane was closed.
var ErrClosed = errors.New("discovery: consul: closed")

// Plane is Consul as seen by one process: a [discovery.Source] and a [discovery.Registrar]. See the package's
// documentation.
type Plane struct {
	cfg    Config
	api    *api.Client
	base   *http.Transport
	token  token
	closed chan struct{}

	mu        sync.Mutex
	followers map[question]*follower
	leases    map[*lease]struct{}
	domains   map[string]string // trust domains of Consul's CA, once they are known, by datacenter
}

var (
	_ discovery.Source    = (*Plane)(nil)
	_ discovery.Registrar = (*Plane)(nil)
)

// New makes a Plane. It asks nothing of Consul yet: that Consul is away is no error, now or later. An error names the
// field or the variable that cannot be honoured.
func New(cfg Config) (*Plane, error) {
	p, err := open(cfg)
	if err != nil {
		return nil, fmt.Errorf("discovery: consul: %w", err)
	}
	return p, nil
}

func open(cfg Config) (*Plane, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := checkEnvironment(); err != nil {
		return nil, err
	}
	conf := api.DefaultConfig() // reads the environment
	p := &Plane{
		cfg: cfg, base: conf.Transport, closed: make(chan struct{}),
		followers: make(map[question]*follower), leases: make(map[*lease]struct{}),
		domains: make(map[string]string),
	}
	if err := p.connect(conf); err != nil {
		return nil, err
	}
	p.token.log = cfg.Logger
	switch {
	case cfg.Token != "":
		p.token.last = cfg.Token
	case cfg.TokenFile != "":
		p.token.path = cfg.TokenFile
	case conf.TokenFile != "":
		p.token.path = conf.TokenFile
	default:
		p.token.last = conf.Token
	}
	if p.token.path != "" && p.token.load() == "" {
		return nil, fmt.Errorf("token file %s: %s", p.token.path, p.token.bad)
	}
	conf.Token, conf.TokenFile = p.token.last, "" // each request carries its own; this one keeps the environment's out
	var err error
	p.api, err = api.NewClient(conf)
	return p, err
}

// connect says how the agent is reached.
func (p *Plane) connect(conf *api.Config) error {
	cfg := p.cfg
	if cfg.Namespace != "" {
		conf.Namespace = cfg.Namespace
	}
	if cfg.Partition != "" {
		conf.Partition = cfg.Partition
	}
	if p.base.TLSClientConfig = cfg.TLS.Clone(); cfg.TLS == nil {
		t, err := api.SetupTLSConfig(&conf.TLSConfig)
		if err != nil {
			return fmt.Errorf("TLS from the environment: %w", err)
		}
		p.base.TLSClientConfig = t
	}
	if err := p.locate(conf); err != nil {
		return err
	}
	// Not HTTP/2: where nobody is at the other end any more, a question that runs out of time would leave the connection in
	// use, for all further ones; and why a handshake was refused would be lost.
	p.base.ForceAttemptHTTP2 = false
	p.base.Protocols = new(http.Protocols)
	p.base.Protocols.SetHTTP1(true)
	p.base.TLSClientConfig.NextProtos = nil
	conf.HttpClient = &http.Client{Transport: guard{p.base}, CheckRedirect: stay}
	return nil
}

// checkEnvironment refuses what the API's client would only complain about, and then ignore.
func checkEnvironment() error {
	for _, name := range []string{api.HTTPSSLEnvName, api.HTTPSSLVerifyEnvName} {
		if v := os.Getenv(name); v != "" {
			if _, err := strconv.ParseBool(v); err != nil {
				return fmt.Errorf("%s: %q is neither true nor false", name, v)
			}
		}
	}
	return nil
}

// Close ends all watches, which return [ErrClosed], and what keeps leases alive, which are not removed from Consul by it:
// Leave does that. It may be called many times.
func (p *Plane) Close() error {
	p.mu.Lock()
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	followers, leases := p.followers, p.leases
	p.followers, p.leases = make(map[question]*follower), make(map[*lease]struct{})
	p.mu.Unlock()
	for _, f := range followers {
		f.stop()
	}
	for l := range leases {
		l.stop()
	}
	p.base.CloseIdleConnections()
	return nil
}
