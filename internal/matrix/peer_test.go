package matrix

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/intramesh/intramesh/internal/memnet"
)

// mode is how a peer treats requests.
type mode int

const (
	answers     mode = iota
	refusesOnce      // 503 or UNAVAILABLE to the first request
	breaksOnce       // resets the connection of the first request
	slow             // answers ten seconds late, but for the headers of what streams
	silent           // waits until nobody waits for the answer
	panics           // where a handler of a plain server would
)

// peer is the state that the handlers of both protocols share.
type peer struct {
	net  *memnet.Network
	addr string
	mode mode

	mu      sync.Mutex
	arrived []*sight
	gaveUp  int
}

// arrive notes a request and says how to treat it.
func (p *peer) arrive(s *sight) mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = append(p.arrived, s)
	once := p.mode == refusesOnce || p.mode == breaksOnce
	if once && len(p.arrived) > 1 {
		return answers
	}
	return p.mode
}

// hears notes a piece of a request's body.
func (p *peer) hears(s *sight, piece string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Body = append(s.Body, piece)
}

// breaks resets the connections of all callers.
func (p *peer) breaks() { p.net.Cut(p.addr) }

// told notes that a silent handler learnt that it may stop.
func (p *peer) told() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gaveUp++
}

// dawdles waits where the peer is slow, and says whether anybody waits for the answer then.
func (p *peer) dawdles(ctx context.Context) bool {
	if p.mode != slow {
		return true
	}
	select {
	case <-time.After(10 * time.Second):
		return true
	case <-ctx.Done():
		p.told()
		return false
	}
}

// saw is what has arrived so far.
func (p *peer) saw() (sights []sight, gaveUp int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.arrived {
		c := *s
		c.Body = slices.Clone(s.Body)
		sights = append(sights, c)
	}
	return sights, p.gaveUp
}

// day is how long callers wait for a silent peer before they give up by themselves.
const day = 24 * time.Hour

// goodbye is how long a silent handler waits when nobody waits for it any more: a caller over TLS says so before it closes
// the connection, and would still read an answer that came in between.
const goodbye = time.Millisecond
