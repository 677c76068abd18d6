package main

import (
	"net/http"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
	"github.com/intramesh/intramesh/telemetry"
)

// meshGRPC has all of the mesh on both sides.
func meshGRPC(s setup, r *rig, newOp newGRPCOp) error {
	m, err := newMesh(r)
	if err != nil {
		return err
	}
	addrs, err := serveGRPC(r, nil, s.endpoints, servergrpc.ServerOptions(m.server)...)
	if err != nil {
		return err
	}
	c, err := m.client(r, s, addrs)
	if err != nil {
		return err
	}
	return connectGRPC(r, s, newOp, len(addrs), "mesh:///"+service, clientgrpc.DialOptions(c)...)
}

// meshHTTP is the same over net/http.
func meshHTTP(s setup, r *rig, h2 bool) error {
	m, err := newMesh(r)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: echoHandler}
	m.server.Attach(srv)
	addrs, err := serveHTTP(r, m.server.TLSConfig(), h2, s.endpoints, srv)
	if err != nil {
		return err
	}
	c, err := m.client(r, s, addrs)
	if err != nil {
		return err
	}
	r.callHTTP(s, c.Transport(newTransport(r, s, h2)), []string{"mesh://" + service + "/"})
	return nil
}

// mesh is what both sides share, and the server: one for all endpoints, which are listeners of one process anyway.
type mesh struct {
	identity  security.Identity // the caller's
	telemetry *telemetry.Telemetry
	server    *server.Server
}

const (
	clientName = "spiffe://bench/caller"
	serverName = "spiffe://bench/" + service
)

// newMesh has everything switched on that a server has.
func newMesh(r *rig) (*mesh, error) {
	authority, err := ca.New(ca.Config{TrustDomain: "bench"})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { _ = authority.Close() })
	m := new(mesh)
	if m.identity, err = authority.Identity(clientName); err != nil {
		return nil, err
	}
	own, err := authority.Identity(serverName)
	if err != nil {
		return nil, err
	}
	// The mesh draws for the traces that begin here, so that the SDK's sampler only follows.
	p := newProviders(r, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	m.telemetry, err = telemetry.New(telemetry.Config{TracerProvider: p.traces, MeterProvider: p.metrics, Sample: new(share)})
	if err != nil {
		return nil, err
	}
	m.server, err = server.New(server.Config{
		Identity: own, Authorize: security.AllowID(clientName), Telemetry: m.telemetry,
	})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { _ = m.server.Close() })
	return m, nil
}

// client has everything switched on that a client has.
func (m *mesh) client(r *rig, s setup, addrs []string) (*client.Client, error) {
	var endpoints []discovery.Endpoint
	for i, a := range addrs {
		endpoints = append(endpoints, discovery.Endpoint{Addr: a, ID: serverName, Metadata: versionOf(i)})
	}
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{service: endpoints},
		Traffic:    s.traffic,
		Resilience: resilience.Config{Default: resilience.Standard()},
		Identity:   m.identity,
		Telemetry:  m.telemetry,
	})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { _ = c.Close() })
	return c, nil
}
