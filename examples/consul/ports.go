package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// ports are those of an agent, which keeps them when it is restarted.
type ports struct{ http, serf, rpc int }

// block is a hundred ports, which are a run's because it listens at the first: other runs, and the tests of this module,
// look there before they take one, so that nobody takes the ports of an agent before it starts or while it is away. They
// are below those that a system gives to connections that go out, for the same reason.
type block struct {
	lock      net.Listener
	next, end int
}

const (
	firstPort = 10_000
	blocks    = 220
	blockSize = 100
)

var errNoPort = errors.New("no port is free")

// findBlock takes one that nobody has.
func findBlock() (*block, error) {
	for _, n := range rand.Perm(blocks) {
		first := firstPort + n*blockSize
		if l, err := net.Listen("tcp", local(first)); err == nil {
			return &block{lock: l, next: first + 1, end: first + blockSize}, nil
		}
	}
	return nil, errNoPort
}

// ports are the next three that are free for TCP and UDP.
func (b *block) ports() (ports, error) {
	var found []int
	for ; len(found) < 3; b.next++ {
		if b.next == b.end {
			return ports{}, errNoPort
		}
		if free(b.next) {
			found = append(found, b.next)
		}
	}
	return ports{http: found[0], serf: found[1], rpc: found[2]}, nil
}

func free(port int) bool {
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
