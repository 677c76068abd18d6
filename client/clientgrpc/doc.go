// Package clientgrpc puts grpc-go connections on a mesh client: the same [client.Client], policy and endpoints as HTTP.
//
//	conn, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c),
//		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
//
// The target names a service; its endpoints come from the client's discovery source. Where the client has an identity,
// leave the credentials out: [DialOptions] brings mutual TLS, by which each endpoint proves the identity that is expected
// of it. Where it has none, and a policy is to say how connections are secured, give [Credentials] in the place of your own.
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
// Of retries grpc knows one policy for each method, which has to do for all routes that lead from the service: each such
// retry of a stream waits as long as the longest of their back-offs. And where grpc notices while sending that a stream is
// over, it keeps the status to itself: a stream that may be executed twice is then repeated, within the limits of its own
// policy, also after a status that only another route's policy names; one that may not is not.
//
// # Routes
//
// Calls go where [client.Config].Traffic says, whichever service the target names: it is the one that was called. Header
// changes act on metadata, those of responses on the header (grpc.Header and ClientStream.Header). A rewritten path is
// another method: that one is sent, and its proto says whether it may be executed twice. A rewritten authority is sent by
// grpc.CallAuthority, which takes the place of the caller's own. With the client's identity it is accepted where the route
// leads, see [TLSInfo]; with the policy's simple and mutual TLS the server's certificate has to name it; with credentials of
// the caller's own it is theirs to accept. Where it is not accepted the call fails with client.Invalid. A condition on the authority sees grpc.CallAuthority, else the service that was called, and nothing of
// grpc.WithAuthority. A direct response is an error with the code that its status stands for, and UNKNOWN where that is none,
// as for 200: there is no message to go with success. So is a redirection, which gRPC does not have.
//
// # Errors
//
// What the peer said arrives as it was said, status details included. Where no answer exists, or the mesh refused, the
// error has a status (status.Code works) and is a [client.Error] for errors.As.
//
// # Connections
//
// A grpc.ClientConn holds at most one connection to an endpoint. With the first call a few are made ahead
// ([client.Config].WarmConns, 16), others when their endpoint is first chosen; the call that chose it goes to one that is ready
// meanwhile. At most 16 are being made at once. What was learnt of an endpoint lies in the client and survives when a
// connection idles or is made again.
//
// All this is so for each destination to which routes lead the calls, a subset being one of its own: each has connections of
// its own, and calls to one neither wait nor fail because of another. Those of a destination that no call has gone to for 30
// minutes are closed; the service that the target names keeps its own for as long as the ClientConn is not idle. The
// ClientConn is READY while one destination is, and else CONNECTING, TRANSIENT_FAILURE or IDLE, whichever comes first for
// one of them. Connect connects to the service that the target names.
//
// What the policy says of connections (traffic.Connections, traffic.TLS) holds for each destination, and from the moment at
// which it changes: connections that were made by other rules are replaced, the next one taking over when it is ready, and
// calls and streams on the old one go on to their end. Where it is TLS that changes no call begins on the old one any more.
//
//   - ConnectTimeout bounds the dialling, and then TLS and the first words of HTTP/2. 0: 10 s each with a policy, 10 s for
//     both without; more than 2 minutes are 2 minutes.
//   - MaxAge replaces a connection; while no other is to be had the old one serves.
//   - MaxRequests is never exceeded. The next connection is made when all but an eighth of them are used up, and takes over
//     when it is ready; if that is too late, or there is no such eighth, calls go to other endpoints or wait for it. As
//     there is one connection to an endpoint at a time, a very small number has calls wait for handshakes.
//   - IdleTimeout closes connections without calls and streams for so long, also those that were made ahead of calls: none is
//     made ahead again until calls find no connection at all. Without it connections stay.
//   - Keepalive is TCP's. HTTP2 false makes every call fail with client.Invalid, since gRPC is HTTP/2.
//
// Where a policy secures a destination (TLS, other than disable) and the transport credentials are the caller's own, calls
// fail with client.Invalid and nothing is sent.
//
// While no endpoint is ready calls wait for those that are being connected to. Once each has failed four times, or has
// not answered within a second, calls fail at once, unless they are made with grpc.WaitForReady; and as long as there are
// calls it is tried again, at most once a second each.
package clientgrpc
