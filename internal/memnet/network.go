package memnet

import (
	"context"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// Network is a set of addresses that can be listened on and dialled. The zero value is empty and ready to use; all
// methods may be called at the same time.
type Network struct {
	mu       sync.Mutex // taken before the lock of a pipe, never after
	hosts    map[string]*host
	lastPort int
}

// host is what the network knows of one address. It stays when its listener goes, because connections do too.
type host struct {
	listener *listener // nil: nobody listens
	links    map[*link]struct{}
	fault    fault
	changed  chan struct{} // closed and replaced when fault changes
}

type fault uint8

const (
	none fault = iota
	refusing
	blackHole
)

// firstPort is the beginning of the range that IANA leaves for ephemeral ports.
const firstPort = 49152

// Listen makes addr reachable. An address is a name and nothing more, except that port 0 ("orders:0", ":0") is replaced
// by a free one, which the listener's Addr shows. It fails with EADDRINUSE where somebody listens already.
func (n *Network) Listen(addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, port, err := net.SplitHostPort(addr); err == nil && port == "0" {
		addr = n.freePort(name)
	}
	h := n.host(addr)
	if h.listener != nil {
		return nil, opError("listen", "", addr, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	h.listener = newListener(n, addr)
	return h.listener, nil
}

// DialContext connects to addr; the name of the network is not looked at. The connection is refused where nobody
// listens. It returns at once, except where addr is a black hole: then when ctx ends or the fault does.
func (n *Network) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, opError("dial", "", addr, err)
		}
		c, wait, err := n.dial(addr)
		if wait == nil {
			return c, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
}

// dial connects, or says what to wait for before it makes sense to try again.
func (n *Network) dial(addr string) (net.Conn, <-chan struct{}, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.host(addr)
	if h.fault == blackHole {
		return nil, h.changed, nil
	}
	l := newLink(n, n.freePort("127.0.0.1"), addr)
	if h.fault == refusing || h.listener == nil || !h.listener.enqueue(l.server) {
		return nil, nil, opError("dial", "", addr, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	h.links[l] = struct{}{}
	return l.client, nil, nil
}

// freePort is name with a port that was not handed out before.
func (n *Network) freePort(name string) string {
	for {
		if n.lastPort == 0 {
			n.lastPort = firstPort - 1
		}
		n.lastPort++
		addr := net.JoinHostPort(name, strconv.Itoa(n.lastPort))
		if n.hosts[addr] == nil {
			return addr
		}
	}
}

// host finds or makes the entry of addr. The caller holds mu.
func (n *Network) host(addr string) *host {
	if h := n.hosts[addr]; h != nil {
		return h
	}
	if n.hosts == nil {
		n.hosts = make(map[string]*host)
	}
	h := &host{links: make(map[*link]struct{}), changed: make(chan struct{})}
	n.hosts[addr] = h
	return h
}

// unlisten takes a listener that was closed out of the network.
func (n *Network) unlisten(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[addr].listener = nil
}

// forget drops a connection that both sides have closed.
func (n *Network) forget(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.hosts[l.addr].links, l)
}
