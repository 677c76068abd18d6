package clientgrpc

import (
	"slices"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// emitted is the codes after which grpc repeats streams of methods that may be executed twice by their proto, and of others.
type emitted struct{ idempotent, other []call.Code }

func (e *emitted) after(m method) []call.Code {
	switch {
	case !m.streaming:
		return nil
	case m.idempotent:
		return e.idempotent
	}
	return e.other
}

// and is what either has grpc repeat.
func (e *emitted) and(o *emitted) *emitted {
	if o == nil {
		return e
	}
	return &emitted{idempotent: join(e.idempotent, o.idempotent), other: join(e.other, o.other)}
}

// union is what any of several policies repeats.
type union struct {
	codes   []call.Code
	backoff resilience.Backoff // the longest: nothing is repeated sooner than its own policy has it
}

func unite(retries []*resilience.Retry, idempotent bool) (u union) {
	for _, r := range retries {
		codes := repeatable(r, idempotent)
		if len(codes) == 0 {
			continue
		}
		u.codes = join(u.codes, codes)
		b := r.Backoff.OrDefault()
		u.backoff.Base, u.backoff.Max = max(u.backoff.Base, b.Base), max(u.backoff.Max, b.Max)
	}
	return u
}

// join is the codes of both, each once and in their order, so that the same policies always make the same config.
func join(a, b []call.Code) []call.Code {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
