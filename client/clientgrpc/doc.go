// Package clientgrpc puts grpc-go connections on a mesh client: the same [client.Client], policy and endpoints as HTTP.
//
//	conn, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c),
//		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
//
// The target names a service; its endpoints come from the client's discovery source. Where the client has an identity,
// leave the credentials out: [DialOptions] brings mutual TLS, by which each endpoint proves the identity that is expected
// of it.
//
// For a connection that finds its endpoints by grpc's own resolvers ("dns:///orders:9000") use [Interceptors]: deadlines,
// retries and budgets of unary calls, the breaker and telemetry then work; endpoints, their ejection and the credentials
// stay with grpc and the caller. A stream is opened again there where no connection was to be had, and is never repeated
// by the mesh once it is open.
//
// # Attempts
//
// A unary call is retried as the policy says, each time at another endpoint where there is one. A method may be executed
// twice only if its proto says so (idempotency_level NO_SIDE_EFFECTS or IDEMPOTENT), or the policy or the call does; what
// certainly was not executed is repeated for every method. Interceptors that stand before these in a connection's options
// run once a call, those after them once an attempt.
//
// A stream is retried until its response headers arrive, by grpc itself, which alone can replay what was sent (up to
// 256 KiB); each such retry asks the policy and its budget, and where they say no the stream ends with what the peer said.
// This is so for streaming methods that may be executed twice by their proto or the policy. A stream of any other method
// is not repeated once it is open, whatever Options.Idempotent or the mark of a refusal before work say, with one
// exception: what the server handed back by its protocol is sent again once. Opening a stream is repeated for every
// method, while no connection was there to open it on.
//
// # Errors
//
// What the peer said arrives as it was said, status details included. Where no answer exists, or the mesh refused, the
// error has a status (status.Code works) and is a [client.Error] for errors.As.
//
// # Connections
//
// A grpc.ClientConn holds at most one connection to an endpoint. A few are made ahead ([client.Config].WarmConns, 16),
// others when their endpoint is first chosen; the call that chose it goes to one that is ready meanwhile. At most 16 are being
// made at once. What was learnt of an endpoint lies in the client and survives when a connection idles or is made again.
//
// While no endpoint is ready calls wait for those that are being connected to. Once each has failed four times, or has
// not answered within a second, calls fail at once, unless they are made with grpc.WaitForReady; and as long as there are
// calls it is tried again, at most once a second each.
package clientgrpc
