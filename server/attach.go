package server

import (
	"net/http"
	"time"
)

// What Attach sets where the http.Server leaves it open.
const (
	// 10 s stop a client that never finishes its header (Slowloris).
	readHeaderTimeout = 10 * time.Second
	// 64 KiB are eight times what common proxies let through, and a sixteenth of net/http's 1 MiB.
	maxHeaderBytes = 64 << 10
	// A server that closes idle connections sooner than its clients do loses requests. Google's load balancers keep them
	// for 600 s and ask servers for more; Go's clients keep them for 90 s.
	idleTimeout = 620 * time.Second
)

// Attach makes srv a server of the mesh: its handler is wrapped by [Server.Handler] and it takes part in [Server.Drain].
// ReadHeaderTimeout (10 s), MaxHeaderBytes (64 KiB) and IdleTimeout (620 s) are filled in where they are zero; the two
// times are left alone where ReadTimeout is set, which net/http uses in their place.
//
// Where the server has an identity, TLSConfig is set if it is nil, so that srv.ListenAndServeTLS("", "") serves. Connections
// are then followed: their clients are asked for new ones before their certificates expire, and those are closed whose
// client is nobody any more.
//
// Attach several servers if there are several. Call it before srv serves; a server that is attached after a drain is
// closed.
func (s *Server) Attach(srv *http.Server) {
	srv.Handler = s.Handler(srv.Handler)
	if srv.ReadTimeout == 0 {
		srv.ReadHeaderTimeout = or(srv.ReadHeaderTimeout, readHeaderTimeout)
		srv.IdleTimeout = or(srv.IdleTimeout, idleTimeout)
	}
	if srv.MaxHeaderBytes == 0 {
		srv.MaxHeaderBytes = maxHeaderBytes
	}
	if s.id != nil {
		if srv.TLSConfig == nil {
			srv.TLSConfig = s.TLSConfig()
		}
		s.track(srv)
	}
	s.core.Add(watch(srv, s.core.Winding))
}
