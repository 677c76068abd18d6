package stack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// copying is the copies of a client that are under way, and what is held for them and for those to come.
type copying struct {
	calls, bytes atomic.Int64

	mu     sync.Mutex // so that none begins after the end
	closed bool
	all    sync.WaitGroup
}

// hold counts n bytes more, if they fit.
func (p *copying) hold(n, most int64) bool {
	if p.bytes.Add(n) > most {
		p.bytes.Add(-n)
		return false
	}
	return true
}

// enter counts a copy, or says why there is none.
func (p *copying) enter(most int) (refused string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return CopyClosed
	case p.calls.Load() >= int64(most):
		return CopyBusy
	}
	p.calls.Add(1)
	p.all.Add(1)
	return ""
}

func (p *copying) leave() {
	p.calls.Add(-1)
	p.all.Done()
}

// close lets no further copy begin. Those under way end with the client's context.
func (p *copying) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// Copy is one copy of a call under way. It has what the call's context has, but for its end and for what traces its
// connections: neither the caller's deadline nor its leaving ends a copy, only its own time and the end of the client do.
type Copy struct {
	// Ctx is what the copy runs under.
	Ctx context.Context
	// Service is where it goes.
	Service string

	client *Client
	subset string
	limits traffic.MirrorLimits
	cancel context.CancelFunc
	cut    atomic.Pointer[string] // why it was given up; nil: it was not
}

func newCopy(of context.Context, s *Client, service, subset string, limits traffic.MirrorLimits) *Copy {
	m := &Copy{client: s, Service: service, subset: subset, limits: limits}
	m.Ctx, m.cancel = context.WithCancel(detached{context.WithoutCancel(of)})
	return m
}

// Hold reports whether n more bytes may be held for the copy while it is under way, until they are released.
func (m *Copy) Hold(n int64) bool { return m.client.copying.hold(n, m.limits.Bytes) }

// Release gives n bytes back.
func (m *Copy) Release(n int64) { m.client.copying.bytes.Add(-n) }

// Cut gives the copy up while it is under way. It counts as dropped.
func (m *Copy) Cut(reason string) {
	m.cut.CompareAndSwap(nil, &reason)
	m.cancel()
}

// cutOff is the error of a copy that was given up; nil for any other call.
func (c *Call) cutOff() error {
	m := c.oddity().copy
	if m == nil {
		return nil
	}
	if reason := m.cut.Load(); reason != nil {
		return &call.Error{Service: c.Service, Method: c.Method, Reason: *reason, Code: call.ResourceExhausted}
	}
	return nil
}

// detached is a context without its end.
type detached struct{ context.Context }

func (d detached) Value(key any) any {
	v := d.Context.Value(key)
	if _, traces := v.(*httptrace.ClientTrace); traces {
		return nil // the caller's, who does not expect to be called any more
	}
	return v
}

// run has send make the copy. What panics is a transport of the caller's, and must not end the process from here.
func (m *Copy) run(send func()) {
	defer m.cancel()
	defer context.AfterFunc(m.client.ctx, m.cancel)()
	defer func() {
		if p := recover(); p != nil {
			m.client.log.Error("intramesh: a transport panicked with a mirrored call", "service", m.Service, "panic", fmt.Sprint(p))
		}
	}()
	send()
}

// Do is [Client.Do] for a copy: it is seen and traced, has one attempt at an endpoint of its destination, whose load it is,
// and is nobody's success or failure. c needs what the wire knows of it.
func (m *Copy) Do(c *Call) error {
	s := m.client
	c.client, c.options, c.exec = s, noOptions, s.bare
	c.becomesOdd().copy = m
	c.Copy, c.Ctx, c.Service, c.Start = true, m.Ctx, m.Service, time.Now()
	c.Deadline, c.bounded = c.Start.Add(m.limits.Timeout), true
	c.key = rand.Uint64()
	if err := s.copies.Begin(c); err != nil {
		return c.refused(err)
	}
	passed := false
	defer func() {
		if !passed {
			c.Finish()
		}
	}()
	err := s.fanOut(c)
	c.reply(err)
	passed = err == nil
	return err
}

// copied is the layer that finds a copy's destination.
type copied struct{ client *Client }

func (l copied) Begin(c *Call) error {
	c.dest = l.client.find(c, c.Service)
	if subset := c.oddity().copy.subset; subset != "" {
		c.dest = c.dest.Subset(subset, l.client.now.Load(), c.Start)
	}
	if c.dest.direct || c.dest.Endpoints() != nil {
		return nil
	}
	return c.dest.await(c)
}

func (copied) End(*Call) {}

// layers are those that the call goes through.
func (c *Call) layers() call.Chain[*Call] {
	if c.Copy {
		return c.client.copies
	}
	return c.client.calls
}

// HeldForCopies is how many bytes are held for copies of calls.
func (s *Client) HeldForCopies() int64 { return s.copying.bytes.Load() }

// CopiesUnderWay is how many copies of calls there are.
func (s *Client) CopiesUnderWay() int64 { return s.copying.calls.Load() }
