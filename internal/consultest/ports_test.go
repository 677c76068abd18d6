package consultest

import (
	"net"
	"testing"
)

func (p ports) all() []int { return []int{p.http, p.https, p.serf, p.wan, p.rpc} }

// TestPorts takes the ports of more agents than a block has room for. No two share one, nobody else's is among them, and
// those of a test that is over are given out again.
func TestPorts(t *testing.T) {
	const agents = 3 * blockSize / 5
	round := func(t *testing.T) map[int]bool {
		t.Helper()
		seen := make(map[int]bool)
		for range agents {
			for _, port := range freePorts(t).all() {
				if seen[port] || port < firstPort || port >= firstPort+blocks*blockSize {
					t.Fatalf("port %d is given out twice, or is not one of those for agents", port)
				}
				seen[port] = true
			}
		}
		return seen
	}
	t.Run("first", func(t *testing.T) { round(t) })
	pool.Lock()
	had, taken := len(pool.locks), pool.free[0]
	pool.Unlock()
	l, err := net.Listen("tcp", local(taken))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Run("again", func(t *testing.T) {
		if round(t)[taken] {
			t.Errorf("port %d is given out, where somebody listens", taken)
		}
	})
	pool.Lock()
	defer pool.Unlock()
	if n := len(pool.locks); n > had+1 {
		t.Errorf("%d blocks after the first round, %d after the second", had, n)
	}
}

// TestBlocks checks that a block which somebody has is nobody else's, in this process or another.
func TestBlocks(t *testing.T) {
	port := freePorts(t).http
	pool.Lock()
	defer pool.Unlock()
	if takeBlock((port - firstPort) / blockSize) {
		t.Errorf("the block of port %d is given out twice", port)
	}
}
