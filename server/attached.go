package server

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// attached is an http.Server as the drain sees it.
//
// http.Server.Shutdown drops what it has accepted and not read, and closes connections that are idle at that moment. A
// request that is under way on either is lost, so it is called in a moment of calm. By then every answer asks its client
// to leave, so that calm comes as soon as new connections go elsewhere.
type attached struct {
	*http.Server
	changes atomic.Int64 // of the state of a connection, since answers close connections
}

const (
	calm    = 50 * time.Millisecond // no connection has changed its state for so long: ten round trips in a data centre
	maxWait = time.Second           // clients that never learn do not stop a drain
)

// watch hooks into the states of srv's connections. It costs one atomic load for each.
func watch(srv *http.Server, winding func() bool) *attached {
	a := &attached{Server: srv}
	theirs := srv.ConnState
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		if winding() {
			a.changes.Add(1)
		}
		if theirs != nil {
			theirs(c, state)
		}
	}
	return a
}

func (a *attached) Shutdown(ctx context.Context) error {
	a.settle(ctx)
	return a.Server.Shutdown(ctx)
}

func (a *attached) settle(ctx context.Context) {
	tick := time.NewTicker(calm)
	defer tick.Stop()
	for seen, waited := a.changes.Load(), time.Duration(0); waited < maxWait; waited += calm {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := a.changes.Load()
		if now == seen {
			return
		}
		seen = now
	}
}
