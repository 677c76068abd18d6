package clientgrpc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// The service config covers what any of several policies repeats, whatever their order; what stands by while it changes covers
// both.
func TestConfigOfSeveralPolicies(t *testing.T) {
	standard := resilience.Standard().Retry
	slow := &resilience.Retry{Backoff: resilience.Backoff{Base: time.Second, Max: 4 * time.Second}}
	listed := &resilience.Retry{On: []string{"internal,unavailable"}, Backoff: resilience.Backoff{Base: time.Minute, Max: time.Minute}}
	none, e := configFor(nil)
	if strings.Contains(none, "retryPolicy") || e.idempotent != nil || e.other != nil {
		t.Errorf("without retries: %s, %+v", none, e)
	}
	one, e1 := configFor([]*resilience.Retry{standard, slow})
	other, _ := configFor([]*resilience.Retry{slow, standard})
	if one != other || !strings.Contains(one, `"initialBackoff":"0.500000000s","maxBackoff":"2.000000000s"`) {
		t.Errorf("%s and %s", one, other)
	}
	if !slices.Equal(e1.idempotent, []call.Code{call.Unavailable}) || e1.other != nil {
		t.Errorf("%+v", e1)
	}
	_, e2 := configFor([]*resilience.Retry{listed})
	both := e2.and(e1)
	if want := []call.Code{call.Internal, call.Unavailable}; !slices.Equal(both.idempotent, want) || !slices.Equal(both.other, want) {
		t.Errorf("%+v", both)
	}
	if got := e1.and(e2).after(method{idempotent: true}); got != nil {
		t.Errorf("a unary method is repeated after %v", got)
	}
	if got := e1.and(nil).after(method{streaming: true}); got != nil {
		t.Errorf("a stream that may not be executed twice is repeated after %v", got)
	}
}
