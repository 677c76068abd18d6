package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/resilience"
)

// Defaults of [Config].
const (
	defaultWarmup       = 5 * time.Second
	defaultReplayBuffer = 64 << 10
	defaultWarmConns    = 16
)

// Client is what all calls of a process share. It is safe for concurrent use. Make it with [New], end it with Close.
type Client struct {
	cfg     Config
	core    *stack.Client
	mesh    hosts
	unwatch func() // ends what telemetry shows of this client
}

// New makes a client. It starts nothing: the endpoints of a service are watched from its first call on. The error lists
// every field that cannot be honoured, with its value.
func New(cfg Config) (*Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Warmup = orDefault(cfg.Warmup, defaultWarmup)
	cfg.ReplayBuffer = orDefault(cfg.ReplayBuffer, defaultReplayBuffer)
	cfg.WarmConns = orDefault(cfg.WarmConns, defaultWarmConns)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	sc := stack.Config{
		Discovery: cfg.Discovery, Traffic: cfg.Traffic, Local: cfg.Local, Vet: cfg.vet, Resilience: cfg.Resilience, Balance: cfg.Balance, Warmup: cfg.Warmup, Logger: cfg.Logger,
	}
	if cfg.Telemetry != nil {
		sc.Observer, sc.Listener = cfg.Telemetry.Core(), cfg.Telemetry.Core()
	}
	c := &Client{cfg: cfg, mesh: newHosts(cfg), core: stack.NewClient(sc), unwatch: func() {}}
	if cfg.Telemetry != nil {
		c.unwatch = c.shown()
	}
	return c, nil
}

// shown has telemetry show the state of the client, until the function that it returns is called.
func (c *Client) shown() func() {
	stop := c.cfg.Telemetry.Core().Watch(c.core)
	if c.cfg.Identity == nil {
		return stop
	}
	forget := c.cfg.Telemetry.ObserveExpiry("client", stack.Expiry{Identity: c.cfg.Identity})
	return func() { stop(); forget() }
}

// orDefault is v, its default where it is 0, and 0 where it is negative, which stands for "none".
func orDefault[T ~int | ~int64](v, byDefault T) T {
	if v == 0 {
		return byDefault
	}
	return max(v, 0)
}

func (cfg Config) validate() error {
	var errs []error
	if err := cfg.Resilience.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("client: Config.Resilience: %w", err))
	}
	if err := validBalance(cfg.Balance); err != nil {
		errs = append(errs, fmt.Errorf("client: Config.Balance: %w", err))
	}
	if len(cfg.Hosts) > 0 && cfg.Discovery == nil {
		errs = append(errs, fmt.Errorf("client: Config.Hosts: %q: needs Config.Discovery", cfg.Hosts))
	}
	if p, ok := stack.RoutesOf(cfg.Traffic); ok {
		_, err := traffic.Compile(p, cfg.Local)
		if err = errors.Join(err, cfg.vet(&p)); err != nil {
			errs = append(errs, fmt.Errorf("client: Config.Traffic: %w", err))
		}
	}
	for i, h := range cfg.Hosts {
		if err := validHost(h); err != nil {
			errs = append(errs, fmt.Errorf("client: Config.Hosts[%d]: %q: %w", i, h, err))
		}
	}
	if v, ok := cfg.Discovery.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("client: Config.Discovery: %w", err))
		}
	}
	return errors.Join(append(errs, cfg.validateIdentity()...)...)
}

// validBalance refuses what only a traffic policy can say in full.
func validBalance(a balance.Algorithm) error {
	if a.Keyed() {
		return fmt.Errorf("%s places calls by a key, which only a traffic policy can name", a)
	}
	return balance.Config{Algorithm: a}.Validate()
}

func validHost(h string) error {
	switch {
	case strings.Trim(h, ".") == "":
		return errors.New("must be a name, or a suffix that starts with a dot")
	case strings.ContainsAny(h, "/*: \t\n"):
		return errors.New("must be a bare name without scheme, port or wildcard")
	}
	return nil
}

// SetResilience replaces the policy while calls run: the switch to reach for when a retry storm must end. Calls under way
// keep the policy that they began with, and budgets keep their state. A policy that cannot be honoured is refused whole.
func (c *Client) SetResilience(cfg resilience.Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("client: SetResilience: %w", err)
	}
	c.core.SetResilience(cfg)
	return nil
}

// Ready waits until the registry has answered for each service. The error says which have no endpoint
// ([discovery.ErrUnknownService], [discovery.ErrNoEndpoint]) and which were not answered for when ctx ended.
func (c *Client) Ready(ctx context.Context, services ...string) error {
	errs := make([]error, 0, len(services))
	for _, s := range services { // their watches begin together
		go func() { _ = c.core.Ready(ctx, s) }()
	}
	for _, s := range services {
		if err := c.core.Ready(ctx, s); err != nil {
			errs = append(errs, fmt.Errorf("client: %s: %w", s, err))
		}
	}
	return errors.Join(errs...)
}

// Close ends the watches and the copies for mirrors, and closes idle connections. Calls under way, their bodies and streams go
// on to their end; new ones are refused. It may be called more than once.
func (c *Client) Close() error {
	c.unwatch()
	c.core.Close()
	return nil
}

// Core is for the packages of this module that carry other protocols. Its type is internal: nothing else can use it.
func (c *Client) Core() *stack.Client { return c.core }

// Config is the configuration with its defaults applied.
func (c *Client) Config() Config { return c.cfg }

var _ discovery.Lister = discovery.Static(nil)
