package consultest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// ports are those of one agent.
type ports struct{ http, https, serf, wan, rpc int }

// Ports are taken from below those that operating systems give to connections that go out (from 32768 with Linux, from
// 49152 elsewhere): between an agent's end and its next start one of these could take its place.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

// freePorts finds ports that are free for TCP and UDP now.
func freePorts(t testing.TB) ports {
	t.Helper()
	var found [5]int
	for i, tries := 0, 0; i < len(found); tries++ {
		if tries == 1000 {
			t.Fatal("no free ports on 127.0.0.1")
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		hold, ok := take(port)
		if !ok {
			continue
		}
		defer hold() // after all are found, so that they differ
		found[i] = port
		i++
	}
	return ports{http: found[0], https: found[1], serf: found[2], wan: found[3], rpc: found[4]}
}

// take holds a port until what it returns is called; false: somebody else has it.
func take(port int) (func(), bool) {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, false
	}
	p, err := net.ListenPacket("udp", addr)
	if err != nil {
		l.Close()
		return nil, false
	}
	return func() { l.Close(); p.Close() }, true
}
