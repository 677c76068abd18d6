package shop

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// This file and policy.go are all that the shop has to do with the mesh: an identity for each process, one client for
// each that calls others, and one server for each that is called. Everything else is plain net/http and plain grpc.

// identify reads who the process is, and goes on reading: certificates are renewed under it.
func (n *node) identify() error {
	cfg := ca.FilesIn(identityDir(n.dir, n.name))
	cfg.Logger = slog.New(n.diary)
	files, err := security.NewFiles(cfg)
	if err != nil {
		return err
	}
	n.identity = files
	n.atEnd = append(n.atEnd, files.Close)
	return nil
}

// find opens the registry. Which one it is, and whether a process registers itself there, is the program's choice.
func (n *node) find() (err error) {
	if n.registry, err = n.cfg.Find(n.dir, slog.New(n.diary)); err == nil {
		n.atEnd = append(n.atEnd, n.registry.Close)
	}
	return err
}

// register lets others find the process, which serves by now. While the registry is away it tries again.
func (n *node) register(s *service, addr string) error {
	if n.cfg.Register == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return n.cfg.Register(ctx, s.mesh, n.registry, n.service, addr)
}

// traffic opens what says where calls go, which is the program's choice as well. Nil: calls go to whom they name.
func (n *node) traffic() (traffic.Source, error) {
	if n.cfg.Traffic == nil {
		return nil, nil
	}
	t, err := n.cfg.Traffic(n.dir, slog.New(n.diary))
	if err != nil {
		return nil, err
	}
	n.atEnd = append(n.atEnd, t.Close)
	return &followed{t, n}, nil
}

// mesh is the client side. It returns when it knows where the services are that the process cannot start without.
func (n *node) mesh(needs ...string) (*client.Client, error) {
	routes, err := n.traffic()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{
		Discovery:  n.registry,
		Identity:   n.identity,
		ServerID:   IdentityOf, // of the service, so that nobody else can answer for it
		Resilience: policy(),
		Traffic:    routes,
		Logger:     slog.New(n.diary),
	})
	if err != nil {
		return nil, err
	}
	n.atEnd = append(n.atEnd, c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c, c.Ready(ctx, needs...)
}

// Dial is the client side for gRPC: one option more than without the mesh, and no credentials, because the mesh has them.
func Dial(c *client.Client, service string) (*grpc.ClientConn, error) {
	return grpc.NewClient("mesh:///"+service, clientgrpc.DialOptions(c)...)
}

// server is the server side. At the edge nobody has an identity: visitors come with browsers.
func (n *node) server() (*server.Server, error) {
	cfg := server.Config{DrainDelay: n.cfg.DrainDelay, Logger: slog.New(n.diary)}
	if n.service != edge {
		cfg.Identity = n.identity
		cfg.Authorize = guard{callersOf(n.service), n.diary.book}
	}
	return server.New(cfg)
}

// httpService is the server side for HTTP.
func (n *node) httpService(h http.Handler) (*service, error) {
	s, err := n.server()
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: h}
	s.Attach(srv)
	serve := srv.Serve
	if srv.TLSConfig != nil {
		serve = func(l net.Listener) error { return srv.ServeTLS(l, "", "") }
	}
	return &service{serve: serve, mesh: s}, nil
}

// grpcService is the server side for gRPC.
func (n *node) grpcService(register func(grpc.ServiceRegistrar)) (*service, error) {
	s, err := n.server()
	if err != nil {
		return nil, err
	}
	gs := grpc.NewServer(servergrpc.ServerOptions(s)...)
	servergrpc.Attach(s, gs)
	register(gs)
	return &service{serve: gs.Serve, mesh: s}, nil
}

// fetch sends a request and reads the JSON of its answer; any status but 200 is an error.
func fetch(c *http.Client, r *http.Request, v any) error {
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", r.Method, r.URL, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}
