package matrix

import (
	"context"
	"net/http"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// wiring is which side of a pair is wrapped, and how.
type wiring struct {
	name  string
	build func(w *world, k cell) *caller // starts the peer, too
}

var (
	unwrapped = wiring{"unwrapped", buildUnwrapped}
	direct    = wiring{"direct", buildDirect}     // a client without Discovery
	meshed    = wiring{"meshed", buildMeshed}     // a client with it
	handler   = wiring{"handler", buildHandler}   // a server's handler or interceptors alone
	attached  = wiring{"attached", buildAttached} // a server that is attached, with all options
	both      = wiring{"both", buildBoth}         // a meshed client and an attached server
)

func buildUnwrapped(w *world, k cell) *caller {
	w.peer(peerAddr, k.scenario.mode, wrapping{})
	return w.plainCaller()
}

// plainCaller goes to the peer, whatever the host, so that requests look alike on the wire.
func (w *world) plainCaller(opts ...grpc.DialOption) *caller {
	if !w.column.isGRPC() {
		return &caller{rt: probe{w, w.transport(peerAddr)}, tls: w.secure}
	}
	return &caller{cc: w.connect("passthrough:///orders", append(opts, w.dialer(peerAddr))...)}
}

// client makes a mesh client of what the row sets.
func (w *world) client(k cell, source discovery.Source) *client.Client {
	cfg := client.Config{}
	if k.row.client != nil {
		k.row.client(&cfg, w)
	}
	if k.row.beside != nil {
		k.row.beside(&cfg, w)
	}
	if cfg.Discovery == nil {
		cfg.Discovery = source
	}
	return w.newClient(cfg)
}

func (w *world) newClient(cfg client.Config) *client.Client {
	c := must(client.New(cfg))(w)
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// buildDirect leaves the way to the peer to the caller's own transport and gRPC resolver.
func buildDirect(w *world, k cell) *caller {
	w.peer(peerAddr, k.scenario.mode, wrapping{})
	c := w.client(k, nil)
	if w.column.isGRPC() {
		return w.plainCaller(clientgrpc.Interceptors(c)...)
	}
	return &caller{rt: c.Transport(w.plainCaller().rt)}
}

func buildMeshed(w *world, k cell) *caller {
	w.peer(peerAddr, k.scenario.mode, wrapping{})
	source := k.row.source
	if source == nil {
		source = orders(peerAddr)
	}
	return w.meshCaller(w.client(k, source))
}

// meshCaller goes where the mesh tells it to.
func (w *world) meshCaller(c *client.Client) *caller {
	if !w.column.isGRPC() {
		return &caller{rt: c.Transport(w.transport(""))}
	}
	opts := clientgrpc.DialOptions(c)
	if c.Config().Dial == nil {
		opts = append(opts, w.dialer("")) // the mesh's own, which a policy needs, does not know this network
	}
	return &caller{cc: w.connect("mesh:///orders", opts...)}
}

// orders is a source of one service with these endpoints.
func orders(addrs ...string) discovery.Static {
	var eps []discovery.Endpoint
	for _, a := range addrs {
		eps = append(eps, discovery.Endpoint{Addr: a})
	}
	return discovery.Static{"orders": eps}
}

// unlisted is a source whose names are not known beforehand, as a registry's are not.
type unlisted struct{ discovery.Source }

// wrapping is what the mesh does to a server; the zero value is nothing.
type wrapping struct {
	http       func(*http.Server)
	grpc       []grpc.ServerOption
	attachGRPC func(*grpc.Server)
}

func (wr wrapping) options() []grpc.ServerOption { return wr.grpc }

// server makes a mesh server of what the row sets.
func (w *world) server(k cell) *server.Server {
	cfg := server.Config{}
	if k.row.server != nil {
		k.row.server(&cfg, w)
	}
	return w.newServer(cfg)
}

func (w *world) newServer(cfg server.Config) *server.Server {
	s := must(server.New(cfg))(w)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func buildHandler(w *world, k cell) *caller {
	w.peer(peerAddr, k.scenario.mode, handled(w.server(k)))
	return w.plainCaller()
}

func handled(s *server.Server) wrapping {
	return wrapping{
		http: func(srv *http.Server) { srv.Handler = s.Handler(srv.Handler) },
		grpc: servergrpc.Interceptors(s),
	}
}

func buildAttached(w *world, k cell) *caller {
	s := w.server(k)
	wr := attachedTo(s)
	if k.row.transport != nil {
		wr.grpc = append(servergrpc.Interceptors(s), k.row.transport.Options()...)
	}
	w.peer(peerAddr, k.scenario.mode, wr)
	return w.plainCaller()
}

// buildBoth is for what the two sides make of each other's signs. The row is the client's.
func buildBoth(w *world, k cell) *caller {
	w.peer(peerAddr, k.scenario.mode, attachedTo(w.newServer(server.Config{})))
	return w.meshCaller(w.client(k, orders(peerAddr)))
}

func attachedTo(s *server.Server) wrapping {
	return wrapping{
		http:       s.Attach,
		grpc:       servergrpc.ServerOptions(s),
		attachGRPC: func(gs *grpc.Server) { servergrpc.Attach(s, gs) },
	}
}

// marked is a context as the callers of all cells have it.
func marked() context.Context {
	return context.WithValue(context.Background(), mark{}, "the caller's")
}
