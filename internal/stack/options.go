package stack

import (
	"context"
	"time"
)

// Options are what one call wants to be different; see client.Options for their meaning.
type Options struct {
	Idempotent bool
	NoRetry    bool
	Timeout    time.Duration
	HashKey    string
	// Record, if not nil, is called once when the call has its answer.
	Record func(*Call)
}

type optionsKey struct{}

var noOptions = new(Options)

// WithOptions puts the options of a call into its context.
func WithOptions(ctx context.Context, o Options) context.Context {
	return context.WithValue(ctx, optionsKey{}, &o)
}

// optionsFrom never returns nil.
func optionsFrom(ctx context.Context) *Options {
	if o, ok := ctx.Value(optionsKey{}).(*Options); ok {
		return o
	}
	return noOptions
}
