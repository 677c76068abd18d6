package clientgrpc_test

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc/stats"
)

// ledger is the connections that a server has had, each with its calls.
type ledger struct {
	mu    sync.Mutex
	calls []int // by connection, in the order in which they came
	open  int
}

type ledgerKey struct{}

func (l *ledger) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, 0)
	l.open++
	return context.WithValue(ctx, ledgerKey{}, len(l.calls)-1)
}

func (l *ledger) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, over := s.(*stats.ConnEnd); over {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open--
	}
}

func (l *ledger) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[ctx.Value(ledgerKey{}).(int)]++
	return ctx
}

func (l *ledger) HandleRPC(context.Context, stats.RPCStats) {}

// used are the calls of each connection that had any.
func (l *ledger) used() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.calls), func(n int) bool { return n == 0 })
}

// conns is how many connections there were, and how many of them are open.
func (l *ledger) conns() (all, open int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls), l.open
}
