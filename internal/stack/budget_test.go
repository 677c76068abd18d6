package stack

import (
	"testing"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// TestTokenCredit: which calls give the budget tokens back. Two failures leave 2 of 4, at which nothing is retried; two
// successes make it 4 again.
func TestTokenCredit(t *testing.T) {
	p := resilience.Policy{
		Retry:  &resilience.Retry{Retries: 1, Idempotent: true},
		Budget: &resilience.Budget{Kind: resilience.BudgetTokens, MaxTokens: 4, TokenRatio: 1},
	}
	for _, tt := range []struct {
		name string
		o    call.Outcome
		end  func(c *Call)
		p    call.Protocol
		want bool
	}{
		{"200", http200, nil, call.HTTP, true},
		{"304", call.Outcome{Status: 304}, nil, call.HTTP, true},
		{"404", call.Outcome{Status: 404}, nil, call.HTTP, false},
		{"500", http500, nil, call.HTTP, false},
		{"a body that broke off", http200, (*Call).Broke, call.HTTP, false},
		{"OK", call.Outcome{}, nil, call.GRPC, true},
		{"NOT_FOUND", call.Outcome{Code: call.NotFound, Err: errLost}, nil, call.GRPC, false},
		{"a stream that ended badly", call.Outcome{}, func(c *Call) {
			c.Last().Outcome = call.Outcome{Code: call.Internal, Err: errLost}
		}, call.GRPC, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, p, three, func(t *testing.T, r *rig) {
				attempts := func() int {
					n := 0
					r.try = func(*Attempt) call.Outcome { n++; return http503 }
					r.do()
					return n
				}
				if n := attempts(); n != 2 {
					t.Fatalf("%d attempts with 4 tokens", n)
				}
				for range 2 {
					r.try = func(*Attempt) call.Outcome { return tt.o }
					c, err := r.begin(t.Context(), tt.p)
					if err != nil {
						continue // it is over
					}
					if tt.end != nil {
						tt.end(c)
					}
					c.Finish()
				}
				if got := attempts() == 2; got != tt.want {
					t.Errorf("retried: %t, want %t", got, tt.want)
				}
			})
		})
	}
}

// TestEnvoyBudget: a retry is under way until its call is over, body included.
func TestEnvoyBudget(t *testing.T) {
	p := resilience.Policy{
		Retry:  &resilience.Retry{Retries: 1, Idempotent: true},
		Budget: &resilience.Budget{Kind: resilience.BudgetEnvoy, Percent: -1, MinConcurrency: 2},
	}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		attempts := func() (int, *Call) {
			n := 0
			r.try = func(*Attempt) call.Outcome {
				if n++; n == 1 {
					return http503
				}
				return http200
			}
			c, err := r.begin(t.Context(), call.HTTP)
			if err != nil {
				t.Fatal(err)
			}
			return n, c
		}
		_, first := attempts()
		if n, _ := attempts(); n != 2 {
			t.Fatalf("%d attempts", n)
		}
		if n, c := attempts(); n != 1 || c.series.Stopped != resilience.StopBudget {
			t.Fatalf("%d attempts, %v", n, c.series.Stopped)
		}
		r.c.SetResilience(resilience.Config{Default: p})
		if n, _ := attempts(); n != 1 {
			t.Fatalf("%d attempts after a change of policy", n)
		}
		first.Finish()
		if n, _ := attempts(); n != 2 {
			t.Fatalf("%d attempts", n)
		}
	})
}
