package telemetry

import (
	"math/rand/v2"
	"sync/atomic"
)

// shards is how many cores can count at the same time without meeting, mostly.
const shards = 8

// counter is a number that many goroutines change and few read. One atomic number would be fought over by all cores.
type counter struct {
	parts [shards]struct {
		n atomic.Int64
		_ [56]byte // a cache line each
	}
}

func (c *counter) add(n int64) { c.parts[rand.Uint32()%shards].n.Add(n) }

// value is the sum; while others add it is one that was true at some time, within what they add.
func (c *counter) value() (sum int64) {
	for i := range c.parts {
		sum += c.parts[i].n.Load()
	}
	return sum
}
