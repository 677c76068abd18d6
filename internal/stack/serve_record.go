package stack

import (
	"errors"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// serveRecord is the layer that tells the observer of every request. It is in the chain only where there is one.
type serveRecord struct{ observer call.ServeObserver }

func (r serveRecord) Begin(c *Serve) error {
	c.Start = time.Now()
	r.observer.BeginServe(&c.Served)
	return nil
}

func (r serveRecord) End(c *Serve) { r.observer.EndServe(&c.Served) }

// Observed reports whether somebody looks at requests, so that an adapter knows whether to say more than layers need.
func (s *Server) Observed() bool { return s.observed }

// Refuse notes why a layer did not let the request pass, and what its caller is therefore told, before the layers that
// had begun are ended.
func (c *Serve) Refuse(err error) {
	c.Err, c.Refused, c.Code = err, true, call.Unavailable
	if e, ok := errors.AsType[*call.Error](err); ok {
		c.Code = e.Code
	}
	if c.Protocol == call.HTTP {
		c.Status = c.Code.HTTPStatus()
	}
}
