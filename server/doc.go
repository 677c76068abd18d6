// Package server makes the servers of a process part of the mesh: plain [http.Server] here, grpc-go in package
// servergrpc. They listen, route and answer as before; what is added is said below, and nothing else changes.
//
//	func main() {
//		s, err := server.New(server.Config{})
//		if err != nil {
//			log.Fatal(err)
//		}
//		mux := http.NewServeMux()
//		mux.Handle("/healthz", s.ReadyHandler())
//		mux.HandleFunc("/orders", orders)
//
//		srv := &http.Server{Addr: ":8080", Handler: mux}
//		s.Attach(srv)
//		go func() {
//			if err := srv.ListenAndServe(); err != http.ErrServerClosed {
//				log.Fatal(err)
//			}
//		}()
//
//		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//		defer stop()
//		<-ctx.Done()
//		stop() // a second signal ends the process at once
//		if err := s.Drain(context.Background()); err != nil {
//			log.Print(err)
//		}
//	}
//
// main has to wait for Drain, not for ListenAndServe, which returns while requests are still being served. The whole
// takes at most DrainDelay and DrainTimeout (35 s): give the process that long before it is killed, and 5 s more where it
// is registered, for a registry that does not answer.
//
// A server that others find by a registry announces itself with [Server.Register], when its listener is open: it takes no
// new callers from the beginning of the drain, and leaves the registry at its end.
//
// # What a request meets
//
// Identity. With [Config].Identity every request must come over mutual TLS from a peer that is verified, and
// [Config].Authorize says what the peer may do: see package security for the rules, and [PeerFrom] for handlers. Serve with
// srv.ListenAndServeTLS("", ""); requests that come in plain text are refused. Each request is judged, and what lasts
// (gRPC streams, HTTP requests that were flushed or hijacked) again when a certificate expires or the rules change.
//
// A health probe has no certificate: name what it asks for in [Config].Public, and let it use TLS without showing one.
//
//	s, err := server.New(server.Config{
//		Identity:  id,
//		Authorize: security.AllowID("spiffe://shop/web"),
//		Public:    []string{"GET /healthz"},
//	})
//
// Deadlines. The time that a caller has left, in x-envoy-expected-rq-timeout-ms, connect-timeout-ms or grpc-timeout, ends
// the request's context; the shortest wins and what is malformed is ignored. A request whose time is over on arrival is
// answered 504 and does not reach the handler. Calls that the handler makes with the request's context pass on what is
// left.
//
// Attempts. The number in x-envoy-attempt-count reaches the mesh clients that the handler calls with the request's
// context, so that retries do not multiply from service to service.
//
// Panics. They are logged once, with the stack and without headers or bodies, and answered 500; where the header is out
// already the connection is aborted, so that half an answer is not taken for a whole one. [http.ErrAbortHandler] works as
// in net/http.
//
// Refusals. [Refuse] says "no work was done, go elsewhere". The same mark copied from an upstream's answer, as by
// httputil.ReverseProxy, is removed: it would speak of work that this process has done.
//
// What it cannot do: a handler that is not wrapped is out of its sight, and so is a connection after it was hijacked, but for
// being closed at the end of a drain or when its peer may not any more. A request that lasts without being flushed is not
// judged again; it ends with its connection, when the peer's certificate has expired. [http.MaxBytesReader] finds net/http's writer only when it is given that one: under a
// wrapped handler it limits as ever, but does not have the connection closed early.
package server
