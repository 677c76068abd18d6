package balance

import "github.com/cespare/xxhash/v2"

// turns says who takes the next entry of a table. In Envoy every node is asked in every round, which takes rounds times
// nodes, 10^9 steps where one of 10,000 nodes is far heavier than all; here the nodes wait in a heap for the round in which
// theirs comes. Who takes which entry is the same.
type turns struct {
	takers []taker
	heap   []turn
	most   float64 // the largest weight
}

// taker is a node's way through a table: from at on, always skip further.
type taker struct {
	at, skip     int
	node         int32
	weight, next float64 // it has its turn in the first round for which round*weight reaches next
}

// turn is the round in which the taker of that number has its turn.
type turn struct {
	round uint64
	taker int32
}

func (t turn) before(u turn) bool {
	return t.round < u.round || t.round == u.round && t.taker < u.taker
}

func newTurns(l *list, size int) *turns {
	weights, _ := l.normalized()
	t := &turns{takers: make([]taker, 0, len(weights)), heap: make([]turn, 0, len(weights))}
	seeded := xxhash.NewWithSeed(1)
	for k, n := range l.byKey() {
		seeded.ResetWithSeed(1)
		_, _ = seeded.WriteString(n.key)
		t.takers = append(t.takers, taker{
			at: int(xxhash.Sum64String(n.key) % uint64(size)), skip: int(seeded.Sum64()%uint64(size-1)) + 1,
			node: n.node, weight: weights[n.node],
		})
		t.most = max(t.most, weights[n.node])
		t.heap = append(t.heap, turn{1, int32(k)}) // everybody has a turn in the first round
	}
	return t
}

// next lets the taker whose turn it is take its next free entry.
func (t *turns) next(table []int32) {
	now := t.heap[0]
	p := &t.takers[now.taker]
	for table[p.at] >= 0 {
		if p.at += p.skip; p.at >= len(table) {
			p.at -= len(table)
		}
	}
	table[p.at] = p.node
	p.next += t.most
	t.heap[0].round = p.roundAfter(now.round)
	t.sink()
}

// roundAfter is the first round after the given one in which the taker has a turn, by the same arithmetic as if every round
// were looked at. A round beyond 2^53 is never reached.
func (p *taker) roundAfter(now uint64) uint64 {
	r := max(now+1, uint64(min(p.next/p.weight, 1<<53)))
	for r > now+1 && float64(r-1)*p.weight >= p.next {
		r--
	}
	for float64(r)*p.weight < p.next && r < 1<<53 {
		r++
	}
	return r
}

// sink restores the heap after its first turn was put off.
func (t *turns) sink() {
	h := t.heap
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].before(h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
