package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/consul/api"
)

// locate reads the address, from the environment where Config has none.
func (p *Plane) locate(conf *api.Config) error {
	from := "CONSUL_HTTP_ADDR"
	if p.cfg.Address != "" {
		from, conf.Address = "field Address", p.cfg.Address
	}
	given := conf.Address
	scheme, rest, ok := strings.Cut(given, "://")
	if !ok {
		scheme, rest = "", given
	}
	if p.cfg.TLS != nil || scheme == "https" {
		conf.Scheme = "https" // and CONSUL_HTTP_SSL has asked for it already
	}
	var err error
	switch scheme {
	case "unix":
		err = p.socket(conf, rest)
	case "http", "https", "":
		// API's client looks for a path only behind a scheme, and http:// is not held against conf.Scheme.
		conf.Address = "http://" + rest
		err = p.web(conf.Address, scheme)
	default:
		err = fmt.Errorf("unknown scheme %q: want http, https or unix", scheme)
	}
	if err != nil {
		return fmt.Errorf("%s: %q: %w", from, given, err)
	}
	return nil
}

// web checks an address that is one of the web.
func (p *Plane) web(address, scheme string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("want host:port")
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want host:port, and no more than a path behind it")
	case scheme == "http" && p.cfg.TLS != nil:
		return errors.New("http, but field TLS is set")
	}
	// Packing and unpacking takes longer than to hand over what is not packed, on one host.
	p.base.DisableCompression = u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return nil
}

// socket has all connections go to a socket.
func (p *Plane) socket(conf *api.Config, path string) error {
	if path == "" {
		return errors.New("want a path behind unix://")
	}
	p.base.Proxy, p.base.DisableCompression = nil, true
	p.base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	conf.Address = "localhost"
	return nil
}

// stay follows no redirection: an agent never sends one, and who did would be given the token.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
