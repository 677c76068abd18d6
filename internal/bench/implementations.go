package main

import (
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// newGRPCOp makes a caller.
type newGRPCOp func(*grpc.ClientConn, *rig) (op, error)

// grpcImplementations are plain grpc-go as it comes, with the transport settings that servergrpc chooses, and the mesh.
func grpcImplementations(newOp newGRPCOp) []implementation {
	plain := func(opts ...grpc.ServerOption) func(setup, *rig) error {
		return func(s setup, r *rig) error {
			addrs, err := serveGRPC(r, s.pki, 1, opts...)
			if err != nil {
				return err
			}
			return connectGRPC(r, s, newOp, addrs[0])
		}
	}
	mesh := func(s setup, r *rig) error {
		srv, err := meshServer(r)
		if err != nil {
			return err
		}
		addrs, err := serveGRPC(r, s.pki, s.endpoints, servergrpc.ServerOptions(srv)...)
		if err != nil {
			return err
		}
		c, err := meshClient(r, addrs)
		if err != nil {
			return err
		}
		return connectGRPC(r, s, newOp, "mesh:///"+service, clientgrpc.DialOptions(c)...)
	}
	return []implementation{
		{"plain", plain()},
		{"plain-tuned", plain(servergrpc.Transport{}.Options()...)},
		{"intramesh", mesh},
	}
}

// httpImplementations are plain net/http as it comes, with the settings that Server.Attach fills in, and the mesh.
func httpImplementations(h2 bool) []implementation {
	plain := func(newServer func() *http.Server) func(setup, *rig) error {
		return func(s setup, r *rig) error {
			addrs, err := serveHTTP(r, s.pki, h2, 1, newServer())
			if err != nil {
				return err
			}
			r.callHTTP(s, newTransport(r, s, h2), "https://"+addrs[0]+"/")
			return nil
		}
	}
	mesh := func(s setup, r *rig) error {
		m, err := meshServer(r)
		if err != nil {
			return err
		}
		srv := &http.Server{Handler: echoHandler}
		m.Attach(srv)
		addrs, err := serveHTTP(r, s.pki, h2, s.endpoints, srv)
		if err != nil {
			return err
		}
		c, err := meshClient(r, addrs)
		if err != nil {
			return err
		}
		r.callHTTP(s, c.Transport(newTransport(r, s, h2)), "https://"+service+"/")
		return nil
	}
	return []implementation{
		{"plain", plain(func() *http.Server { return &http.Server{Handler: echoHandler} })},
		{"plain-tuned", plain(tuned)},
		{"intramesh", mesh},
	}
}

// tuned is a server with the settings that Server.Attach fills in.
func tuned() *http.Server {
	return &http.Server{
		Handler: echoHandler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 620 * time.Second, MaxHeaderBytes: 64 << 10,
	}
}
