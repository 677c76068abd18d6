package main

import (
	"net/http"

	"google.golang.org/grpc"
)

type newGRPCOp func(*grpc.ClientConn, *rig) (op, error)

// streamWorkers is what servergrpc sets.
const streamWorkers = 64

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
	return []implementation{
		{"plain", plain()},
		{"plain-tuned", plain(grpc.NumStreamWorkers(streamWorkers))},
	}
}

func httpImplementations(h2 bool) []implementation {
	plain := func(s setup, r *rig) error {
		addrs, err := serveHTTP(r, s.pki, h2, 1, http.HandlerFunc(serveEcho))
		if err != nil {
			return err
		}
		r.callHTTP(s, newTransport(r, s, h2), "https://"+addrs[0]+"/")
		return nil
	}
	return []implementation{{"plain", plain}}
}
