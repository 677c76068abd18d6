// Package servergrpc makes a grpc-go server part of the mesh.
//
//	s, err := server.New(server.Config{})
//	gs := grpc.NewServer(servergrpc.ServerOptions(s)...)
//	servergrpc.Attach(s, gs)
//	healthpb.RegisterHealthServer(gs, servergrpc.Health(s))
//	reflection.Register(gs)
//	go gs.Serve(listener)
//	...
//	err = s.Drain(context.Background()) // on SIGTERM; see package server
//
// One server.Server may have HTTP and gRPC servers; Drain ends them side by side.
//
// # Identity
//
// Where the server.Server has an identity, [ServerOptions] brings the credentials; leave grpc.Creds out. Callers that have
// not proved who they are get UNAUTHENTICATED, those that may not do what they ask for PERMISSION_DENIED;
// server.PeerFrom tells a handler who calls. A stream is judged again while it lasts. For probes name "/grpc.health.v1.Health/*" in server.Config.Public: they
// still connect by TLS. A method that the server does not have is answered UNIMPLEMENTED by grpc itself, before anybody is
// judged.
//
// # Calls
//
// Calls meet the same layers as over HTTP. A call whose deadline is over on arrival is answered DEADLINE_EXCEEDED and
// does not reach its handler. grpc-previous-rpc-attempts reaches the mesh clients that the handler calls with its context.
// A panic is logged once and answered INTERNAL, where grpc-go would end the process. Everything else that a handler says,
// status details, header, trailer, messages, arrives as without us.
//
// # Refusing before work
//
// A handler that has done nothing yet may return an error that wraps resilience.ErrShed: the answer is UNAVAILABLE with
// the trailer x-envoy-overloaded, which tells callers that even a call that must not be repeated may go elsewhere. Return
// it before any header or message is sent; callers believe the mark only where there was none.
//
// The mark speaks of this process. A stream handler that passes on another server's trailer (a proxy) passes it without
// the mark. Unary handlers that copy trailers must leave it out themselves: to look at what grpc.SetTrailer is given would
// cost every call two allocations.
//
// # Interceptors
//
// Those given by grpc.UnaryInterceptor and grpc.StreamInterceptor, and chained ones that stand before ours in the list,
// run outside; those chained after ours run inside, and their panics are caught too.
package servergrpc
