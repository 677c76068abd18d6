package client

import (
	"context"
	"time"

	"github.com/intramesh/intramesh/internal/stack"
)

// Options are what one call wants to be different. They travel in its context, see [With], for both protocols.
type Options struct {
	// Idempotent declares that executing this request twice does no harm.
	Idempotent bool
	// Timeout bounds this call, body included, and travels to the server. It only ever shortens the context's own
	// deadline. 0: as the context and the policy say.
	Timeout time.Duration
	// NoRetry makes one attempt, whatever the policy says.
	NoRetry bool
	// HashKey is what places the call where a route or a destination of Config.Traffic goes by the context: calls with the
	// same key go the same way.
	HashKey string
	// Info, if not nil, is filled when the call has its answer: when RoundTrip, Invoke or NewStream returns. It must not
	// be shared by calls that overlap.
	Info *Info
}

// With returns a context whose calls obey o. It replaces options that ctx had before.
func With(ctx context.Context, o Options) context.Context {
	so := stack.Options{Idempotent: o.Idempotent, Timeout: o.Timeout, NoRetry: o.NoRetry, HashKey: o.HashKey}
	if o.Info != nil {
		so.Record = o.Info.fill
	}
	return stack.WithOptions(ctx, so)
}
