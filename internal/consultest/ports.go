package consultest

import (
	"net"
	"testing"
)

// ports are those of one agent.
type ports struct{ http, serf, rpc int }

// freePorts finds ports that are free for TCP and UDP. Another process can take one before the agent does; then the agent
// ends at once and start asks for others.
func freePorts(t testing.TB) ports {
	t.Helper()
	var found [3]int
	for i := range found {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // after all are found, so that they differ
		port := l.Addr().(*net.TCPAddr).Port
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		found[i] = port
	}
	return ports{http: found[0], serf: found[1], rpc: found[2]}
}
