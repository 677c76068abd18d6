package main

import (
	"net/http"

	"google.golang.org/grpc"
)

// implementation is a way of making calls.
type implementation struct {
	name string
	open func(s setup, r *rig) error
}

// newGRPCOp makes a caller.
type newGRPCOp func(*grpc.ClientConn, *rig) (op, error)

// The order of implementations: the first two are what the others are compared with.
const (
	atPlain = iota // the library as it comes, with one server
	atTuned        // with the mesh's transport settings, and as many servers
)

func grpcImplementations(newOp newGRPCOp) []implementation {
	return []implementation{
		{"plain", func(s setup, r *rig) error { return plainGRPC(s, r, newOp) }},
		{"plain-tuned", func(s setup, r *rig) error { return tunedGRPC(s, r, newOp) }},
		{"usual", func(s setup, r *rig) error { return usualGRPC(s, r, newOp) }},
		{"intramesh", func(s setup, r *rig) error { return meshGRPC(s, r, newOp) }},
		{"routed", func(s setup, r *rig) error { return meshGRPC(s.routed(), r, newOp) }},
	}
}

func httpImplementations(h2 bool) []implementation {
	return []implementation{
		{"plain", func(s setup, r *rig) error { return plainHTTP(s, r, h2) }},
		{"plain-tuned", func(s setup, r *rig) error { return tunedHTTP(s, r, h2) }},
		{"usual", func(s setup, r *rig) error { return usualHTTP(s, r, h2) }},
		{"intramesh", func(s setup, r *rig) error { return meshHTTP(s, r, h2) }},
		{"routed", func(s setup, r *rig) error { return meshHTTP(s.routed(), r, h2) }},
	}
}

// echoServer is an http.Server as it comes.
func echoServer() *http.Server { return &http.Server{Handler: echoHandler} } //nolint:gosec // limits are what is compared
