package stack

import (
	"strings"
	"sync"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// Copier is a wire that can copy its call for mirrors.
type Copier interface {
	// Copy takes from the call what the copies need, and sees that they are sent. It is called once, before the first
	// attempt, on the caller's goroutine, which must not wait.
	Copy(cs *Copies)
}

// mirror is the layer that starts the copies of a call.
type mirror struct{ client *Client }

func (m mirror) Begin(c *Call) error {
	if c.rule == nil || len(c.rule.Route.Mirrors) == 0 {
		return nil
	}
	w, ok := c.Wire.(Copier)
	if !ok {
		return nil
	}
	var to []*traffic.Mirror
	for i := range c.rule.Route.Mirrors {
		if t := &c.rule.Route.Mirrors[i]; m.client.drawn(t.Percent) {
			to = append(to, t)
		}
	}
	if to != nil {
		cs := &Copies{client: m.client, call: c, to: to, limits: m.client.mirrorLimits()}
		c.becomesOdd().copies = cs
		w.Copy(cs)
	}
	return nil
}

func (mirror) End(c *Call) {
	if cs := c.oddity().copies; cs != nil {
		cs.Drop(CopyIncomplete)
	}
}

// Defaults of [traffic.MirrorLimits].
const (
	mirrorCalls   = 64
	mirrorBytes   = 16 << 20
	mirrorTimeout = 15 * time.Second
)

func (s *Client) mirrorLimits() (l traffic.MirrorLimits) {
	if t := s.now.Load().table; t != nil {
		l = t.Policy().MirrorLimits
	}
	if l.Calls <= 0 {
		l.Calls = mirrorCalls
	}
	if l.Bytes <= 0 {
		l.Bytes = mirrorBytes
	}
	if l.Timeout <= 0 {
		l.Timeout = mirrorTimeout
	}
	return l
}

// The reasons why a copy is not sent, as words for dashboards.
const (
	CopyBusy       = "busy"       // as many are under way as may be
	CopyMemory     = "memory"     // as much of their bodies is held as may be
	CopyIncomplete = "incomplete" // the call was over before its body had been sent
	CopyMessage    = "message"    // it cannot be copied: a message that is not protobuf, or an upgrade of the connection
	CopyNowhere    = "nowhere"    // a service or subset that needs Config.Discovery
	CopyClosed     = "closed"     // the client is closed
)

// Copies are the copies of one call, until they are sent or dropped. Their methods may be called from any goroutine.
type Copies struct {
	// Kept is the wire's own, for as long as the call lasts.
	Kept any

	client *Client
	call   *Call // only until they are sent or dropped: its caller goes on
	to     []*traffic.Mirror
	limits traffic.MirrorLimits

	mu    sync.Mutex
	held  int64
	users int // copies under way that use what is held
	done  bool
}

// Copies are those of the call; nil where it has none.
func (c *Call) Copies() *Copies { return c.oddity().copies }

// Hold reports whether n more bytes may be held for the copies. If not, they are dropped.
func (cs *Copies) Hold(n int64) bool {
	cs.mu.Lock()
	if cs.done {
		cs.mu.Unlock()
		return false
	}
	if cs.client.copying.hold(n, cs.limits.Bytes) {
		cs.held += n
		cs.mu.Unlock()
		return true
	}
	cs.mu.Unlock()
	cs.Drop(CopyMemory)
	return false
}

// Release gives back what is held so far, of copies that are not sent yet.
func (cs *Copies) Release() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !cs.done {
		cs.giveBack()
	}
}

func (cs *Copies) giveBack() {
	cs.client.copying.bytes.Add(-cs.held)
	cs.held = 0
}

// Drop gives the copies up that are not sent yet.
func (cs *Copies) Drop(reason string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.done {
		return
	}
	cs.giveBack()
	for _, to := range cs.to {
		cs.dropped(to, reason)
	}
	cs.done, cs.call = true, nil
}

func (cs *Copies) dropped(to *traffic.Mirror, reason string) {
	c := cs.call
	if o := cs.client.observer; o != nil {
		o.Dropped(&call.Call{
			Service: to.Destination(c.Service), Method: c.Method, Protocol: c.Protocol, Copy: true,
		}, reason)
	}
}

// Send has send make each copy, on a goroutine of its own, where there is room for it. What is held is given back when the
// last of them has returned.
func (cs *Copies) Send(send func(*Copy)) {
	cs.SendEach(func(m *Copy) func() { return func() { send(m) } })
}

// SendEach is Send where something is to be done before the goroutine begins: prepare does it, and what it returns makes the
// copy.
func (cs *Copies) SendEach(prepare func(*Copy) func()) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.done {
		return
	}
	for _, to := range cs.to {
		if reason := cs.start(to, prepare); reason != "" {
			cs.dropped(to, reason)
		}
	}
	if cs.users == 0 {
		cs.giveBack()
	}
	cs.done, cs.call = true, nil
}

func (cs *Copies) start(to *traffic.Mirror, prepare func(*Copy) func()) (refused string) {
	c := cs.call
	service := to.Destination(c.Service)
	if c.Direct && (service != c.Service || to.Subset != "") {
		return CopyNowhere
	}
	if refused = cs.client.copying.enter(cs.limits.Calls); refused != "" {
		return refused
	}
	cs.users++
	m := newCopy(c.Ctx, cs.client, service, to.Subset, cs.limits)
	send := prepare(m)
	go func() {
		defer cs.client.copying.leave()
		defer cs.left()
		m.run(send)
	}()
	return ""
}

// left is called when a copy is over.
func (cs *Copies) left() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.users--; cs.users == 0 {
		cs.giveBack()
	}
}

// Shadow is the authority of a copy: that of the call with "-shadow" behind the name, as Envoy has it. An IPv6 address
// stays as it is, since that would be no authority with anything behind it.
func Shadow(authority string) string {
	if strings.HasPrefix(authority, "[") || strings.Count(authority, ":") > 1 {
		return authority
	}
	if name, port, ok := strings.Cut(authority, ":"); ok {
		return name + "-shadow:" + port
	}
	return authority + "-shadow"
}
