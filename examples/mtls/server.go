package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// orders is the service that is called, over HTTP and over gRPC.
type orders struct {
	shoppb.UnimplementedOrdersServer
	mesh              *server.Server
	httpAddr, rpcAddr string
	refused           refusals
	seen              certificates
}

// listen starts the service on free ports. The mesh is the lines about mesh, one set of them for both protocols.
func listen(id security.Identity) (*orders, error) {
	o := &orders{
		refused: refusals{known: map[string]bool{}},
		seen:    certificates{numbers: map[string]int{}, last: map[string]int{}},
	}
	var err error
	o.mesh, err = server.New(server.Config{
		Identity:  id,
		Authorize: security.AllowID("spiffe://shop/web"),
		Logger:    slog.New(&o.refused),
	})
	if err != nil {
		return nil, err
	}
	if err := o.serve(); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *orders) serve() error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{key}", o.show)
	srv := &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)} // the mesh's log says it too
	o.mesh.Attach(srv)
	gs := grpc.NewServer(servergrpc.ServerOptions(o.mesh)...)
	servergrpc.Attach(o.mesh, gs)
	shoppb.RegisterOrdersServer(gs, o)

	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	rpc, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, web.Close())
	}
	o.httpAddr, o.rpcAddr = web.Addr().String(), rpc.Addr().String()
	go func() { _ = srv.ServeTLS(web, "", "") }() // the certificate is in srv.TLSConfig
	go func() { _ = gs.Serve(rpc) }()
	return nil
}

func (o *orders) close() { _ = o.mesh.Close() }

// show is the handler for HTTP.
func (o *orders) show(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(o.answer(r.Context())))
}

// Place is the handler for gRPC.
func (o *orders) Place(ctx context.Context, _ *shoppb.PlaceRequest) (*shoppb.PlaceReply, error) {
	return &shoppb.PlaceReply{StockReceipt: o.answer(ctx)}, nil
}

// answer knows who calls.
func (o *orders) answer(ctx context.Context) string {
	peer, ok := server.PeerFrom(ctx)
	if !ok {
		return "" // never: nobody gets here without an identity
	}
	return fmt.Sprintf("you are %s, certificate %d", peer, o.seen.number(peer))
}

// certificates numbers those that a service has seen, for each identity from 1.
type certificates struct {
	mu      sync.Mutex
	numbers map[string]int // by serial number
	last    map[string]int // by identity
}

func (c *certificates) number(p *security.Peer) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, serial := p.String(), p.Certificate.SerialNumber.String()
	if c.numbers[serial] == 0 {
		c.last[id]++
		c.numbers[serial] = c.last[id]
	}
	return c.numbers[serial]
}
