package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/baggage"

	"github.com/intramesh/intramesh/internal/call"
)

// Limits of https://www.w3.org/TR/baggage/#limits. What exceeds them is not passed on.
const (
	maxBaggageLength  = 8192
	maxBaggageMembers = 64
)

// luggage is the baggage of a request as it came, beside what the OpenTelemetry API makes of it.
type luggage struct {
	header string
	parsed baggage.Baggage
}

type luggageKey struct{}

// unpack puts the baggage of a request into the context of its handler, for the OpenTelemetry API and, as it is, for the
// calls that the handler makes.
func unpack(ctx context.Context, req call.Request) context.Context {
	v := req.Values(call.HeaderBaggage)
	if len(v) == 0 {
		return ctx
	}
	l := &luggage{header: v[0]}
	if len(v) > 1 {
		l.header = strings.Join(v, ",")
	}
	if len(l.header) > maxBaggageLength || strings.Count(l.header, ",") >= maxBaggageMembers {
		return ctx
	}
	var err error
	if l.parsed, err = baggage.Parse(l.header); err != nil {
		return ctx
	}
	return context.WithValue(baggage.ContextWithBaggage(ctx, l.parsed), luggageKey{}, l)
}

// pack is the baggage header of a call: the one that came, if nobody has changed what is in it.
func pack(ctx context.Context) string {
	b := baggage.FromContext(ctx)
	if b.Len() == 0 {
		return ""
	}
	if l, ok := ctx.Value(luggageKey{}).(*luggage); ok && same(l.parsed, b) {
		return l.header
	}
	return b.String()
}

func same(a, b baggage.Baggage) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, m := range a.Members() {
		if m.String() != b.Member(m.Key()).String() {
			return false
		}
	}
	return true
}
