// Package orders is a service for examples about traffic: servers of it that say who they are, over HTTP and gRPC on one
// port, and calls to it over both. Where the calls go is the example's matter.
package orders

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/examples/internal/shoppb"
)

// Server is an instance of orders. It knows nothing of the mesh: routes are the caller's matter.
type Server struct {
	shoppb.UnimplementedOrdersServer
	Name string
	Addr string

	http     *http.Server
	grpc     *grpc.Server
	answer   func(authority string) error
	requests atomic.Int64
}

// Config is an instance.
type Config struct {
	Name string
	// Addr is where it listens. Empty: a free port.
	Addr string
	// Answer is asked before each answer, and told which host or authority was called. An error is a failure: the status 500
	// over HTTP and INTERNAL over gRPC. Nil: all is well.
	Answer func(authority string) error
}

// Listen starts an instance.
func Listen(cfg Config) (*Server, error) {
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.Answer == nil {
		cfg.Answer = func(string) error { return nil }
	}
	l, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{Name: cfg.Name, Addr: l.Addr().String(), answer: cfg.Answer, grpc: grpc.NewServer()}
	shoppb.RegisterOrdersServer(s.grpc, s)
	s.http = &http.Server{Handler: s, Protocols: new(http.Protocols)}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true) // gRPC
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

// Close ends it at once, as a crash would.
func (s *Server) Close() {
	_ = s.http.Close()
	s.grpc.Stop()
}

// Requests is how many have come.
func (s *Server) Requests() int64 { return s.requests.Load() }

// ServeHTTP answers with the name, and hands on what is gRPC.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.grpc.ServeHTTP(w, r)
		return
	}
	s.requests.Add(1)
	if err := s.answer(r.Host); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, s.Name)
}

// Place answers with the name.
func (s *Server) Place(ctx context.Context, _ *shoppb.PlaceRequest) (*shoppb.PlaceReply, error) {
	s.requests.Add(1)
	md, _ := metadata.FromIncomingContext(ctx)
	if err := s.answer(strings.Join(md.Get(":authority"), "")); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &shoppb.PlaceReply{StockReceipt: s.Name}, nil
}
