package consultest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
)

// ports are those of one agent.
type ports struct{ http, https, serf, wan, rpc int }

// Ports come in blocks, of which each process takes what it needs: a block is taken by who listens at its first port. So
// nobody else who keeps to that, as other packages' tests and the example do, takes a port between the moment when it was
// found free and the agent's start, or between an agent's end and its next start. That no connection that goes out takes
// one is why they are below those that operating systems give to such (from 32768 with Linux, from 49152 elsewhere).
const (
	firstPort = 10_000
	blocks    = 220
	blockSize = 100
)

// pool has the ports of this process that no agent has. Those that were given back last are given out last.
var pool struct {
	sync.Mutex
	locks []net.Listener // at the first port of each block; they are held until the process ends
	free  []int
}

// freePorts finds ports that are free for TCP and UDP. They are the test's until it ends.
func freePorts(t testing.TB) ports {
	t.Helper()
	pool.Lock()
	defer pool.Unlock()
	var found []int
	for len(found) < 5 {
		if len(pool.free) == 0 && !slices.ContainsFunc(rand.Perm(blocks), takeBlock) {
			t.Fatal("no free ports on 127.0.0.1")
		}
		port := pool.free[0]
		if pool.free = pool.free[1:]; isFree(port) {
			found = append(found, port)
		} // and if not, somebody else has it, who does not keep to blocks
	}
	t.Cleanup(func() {
		pool.Lock()
		defer pool.Unlock()
		pool.free = append(pool.free, found...)
	})
	return ports{http: found[0], https: found[1], serf: found[2], wan: found[3], rpc: found[4]}
}

// takeBlock takes the n-th block; false: somebody else has it.
func takeBlock(n int) bool {
	first := firstPort + n*blockSize
	l, err := net.Listen("tcp", local(first))
	if err != nil {
		return false
	}
	pool.locks = append(pool.locks, l)
	for port := first + 1; port < first+blockSize; port++ {
		pool.free = append(pool.free, port)
	}
	return true
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", local(port))
	if err != nil {
		return false
	}
	defer l.Close()
	p, err := net.ListenPacket("udp", local(port))
	if err != nil {
		return false
	}
	return p.Close() == nil
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
