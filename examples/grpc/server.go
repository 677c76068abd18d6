package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// instance is one server of the service "orders".
type instance struct {
	shoppb.UnimplementedOrdersServer
	*grpc.Server
	name    string
	addr    string
	refuses atomic.Bool
}

// listen starts an instance on a free port. The server side of the mesh is the lines about s.
func listen(name string) (*instance, error) {
	s, err := server.New(server.Config{})
	if err != nil {
		return nil, err
	}
	i := &instance{name: name, Server: grpc.NewServer(servergrpc.ServerOptions(s)...)}
	servergrpc.Attach(s, i.Server)
	shoppb.RegisterOrdersServer(i.Server, i)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i.addr = l.Addr().String()
	go func() { _ = i.Serve(l) }()
	return i, nil
}

// refusal says that nothing was done, so that the mesh of the caller asks another instance.
func (i *instance) refusal() error {
	if i.refuses.Load() {
		return fmt.Errorf("%s has too much to do: %w", i.name, resilience.ErrShed)
	}
	return nil
}

// Place is a unary method.
func (i *instance) Place(context.Context, *shoppb.PlaceRequest) (*shoppb.PlaceReply, error) {
	if err := i.refusal(); err != nil {
		return nil, err
	}
	return &shoppb.PlaceReply{StockReceipt: i.name}, nil
}

// Track is a stream of two messages.
func (i *instance) Track(_ *shoppb.TrackRequest, stream grpc.ServerStreamingServer[shoppb.TrackEvent]) error {
	if err := i.refusal(); err != nil {
		return err
	}
	for range 2 {
		if err := stream.Send(&shoppb.TrackEvent{Receipt: i.name}); err != nil {
			return err
		}
	}
	return nil
}
