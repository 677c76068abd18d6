package call

import "context"

// Inbound is what a handler's context tells the clients that the handler calls, so that retries do not multiply from
// hop to hop.
type Inbound struct {
	// Attempt is the number of the attempt that this process is serving, from 1.
	Attempt int
}

type inboundKey struct{}

// WithInbound puts what is known of the request being served into its handler's context. Servers call it only where
// there is something to say: without it the attempt is the first.
func WithInbound(ctx context.Context, in *Inbound) context.Context {
	return context.WithValue(ctx, inboundKey{}, in)
}

// InboundFrom is what [WithInbound] put there, or nil.
func InboundFrom(ctx context.Context) *Inbound {
	in, _ := ctx.Value(inboundKey{}).(*Inbound)
	return in
}
