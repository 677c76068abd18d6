package main

import (
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/intramesh/intramesh/server/servergrpc"
)

// plainGRPC is grpc-go as it comes: one connection to one server.
func plainGRPC(s setup, r *rig, newOp newGRPCOp) error {
	addrs, err := serveGRPC(r, s.pki.serverTLS(), 1)
	if err != nil {
		return err
	}
	return connectGRPC(r, s, newOp, 1, addrs[0], withTLS(s.pki.clientTLS()))
}

// tunedGRPC has what the mesh has beneath it: the transport settings that servergrpc chooses, and a connection to each of
// as many endpoints, which costs, because messages that leave together by one connection leave in one write.
func tunedGRPC(s setup, r *rig, newOp newGRPCOp) error {
	addrs, err := serveGRPC(r, s.pki.serverTLS(), s.endpoints, servergrpc.Transport{}.Options()...)
	if err != nil {
		return err
	}
	return connectGRPC(r, s, newOp, len(addrs), roundRobinTarget, append(roundRobin(addrs), withTLS(s.pki.clientTLS()))...)
}

const roundRobinTarget = "bench:///" + service

// roundRobin spreads calls over addresses by grpc's own means.
func roundRobin(addrs []string) []grpc.DialOption {
	var state resolver.State
	for _, a := range addrs {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}})
	}
	b := manual.NewBuilderWithScheme("bench")
	b.InitialState(state)
	return []grpc.DialOption{
		grpc.WithResolvers(b), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
	}
}

// plainHTTP is net/http as it comes, with one server.
func plainHTTP(s setup, r *rig, h2 bool) error {
	addrs, err := serveHTTP(r, s.pki.serverTLS(), h2, 1, echoServer())
	if err != nil {
		return err
	}
	r.callHTTP(s, newTransport(r, s, h2), urlsOf(addrs))
	return nil
}

// tunedHTTP has the settings that Server.Attach fills in, and as many endpoints as the mesh.
func tunedHTTP(s setup, r *rig, h2 bool) error {
	addrs, err := serveHTTP(r, s.pki.serverTLS(), h2, s.endpoints, tuned(echoHandler))
	if err != nil {
		return err
	}
	r.callHTTP(s, newTransport(r, s, h2), urlsOf(addrs))
	return nil
}

func tuned(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 620 * time.Second, MaxHeaderBytes: 64 << 10}
}
