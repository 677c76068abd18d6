package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports are those of an agent, which keeps them when it is restarted.
type ports struct{ http, serf, rpc int }

// findPorts finds ports that are free for TCP and UDP. They are below those that a system gives to connections, so that
// none of the many here takes one while its agent is away.
func findPorts() (ports, error) {
	var found [3]int
	for i := range found {
		l, p, err := listen()
		if err != nil {
			return ports{}, err
		}
		defer l.Close() // when all are found, so that they differ
		defer p.Close()
		found[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports{http: found[0], serf: found[1], rpc: found[2]}, nil
}

func listen() (l net.Listener, p net.PacketConn, err error) {
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(12000+rand.IntN(20000)))
		if l, err = net.Listen("tcp", addr); err != nil {
			continue
		}
		if p, err = net.ListenPacket("udp", addr); err == nil {
			return l, p, nil
		}
		l.Close()
	}
	return nil, nil, errors.Join(errors.New("no port is free"), err)
}
