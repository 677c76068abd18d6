package resilience

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// FuzzPolicy: a policy that Validate lets pass can be made ready, replaced and used, whatever its numbers are; one that it
// refuses cannot.
func FuzzPolicy(f *testing.F) {
	for _, p := range []Policy{
		{}, Standard(), {Limit: &Limit{Connections: 1, Pending: -1, Requests: 1, Retries: -1}},
		{Retry: &Retry{Retries: 10, Idempotent: true}, Budget: &Budget{Kind: BudgetTokens, MaxTokens: 0.001, TokenRatio: 1000}},
		{Retry: &Retry{}, Budget: &Budget{Kind: BudgetEnvoy, Percent: 1e-300, MinConcurrency: -1}, Limit: &Limit{}},
		{Outlier: &Outlier{SplitLocalOrigin: true, SuccessRate: &SuccessRate{}, FailurePercent: &FailurePercent{Threshold: 1}}},
		{Budget: &Budget{Kind: "?"}, Outlier: &Outlier{MinHealthPercent: 101}},
	} {
		b, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Policy
		if json.Unmarshal(data, &p) != nil {
			return
		}
		invalid := Config{Default: p}.Validate()
		e, err := New(p)
		if (err == nil) != (invalid == nil) {
			t.Fatalf("%v, but %v", invalid, err)
		}
		if err != nil {
			return
		}
		for range 2 {
			place, err := e.Admit(t.Context(), time.Now(), true)
			if err != nil && !errors.Is(err, ErrLimited) && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			if err == nil {
				defer e.Leave(place)
			}
			e.Deposit(time.Now())
			s := Series{Replayable: true, Idempotent: true}
			for tries := 1; tries < 4; tries++ {
				if wait, again := e.Again(&s, call.Outcome{Status: 503}, tries, time.Now()); again != (s.Stopped == 0) || wait < 0 {
					t.Fatalf("%v, %t, %v", wait, again, s.Stopped)
				}
			}
			e.Close(&s)
			e.Credit()
			next, err := e.With(p)
			if err != nil {
				t.Fatal(err)
			}
			next.Govern()
			e = next
		}
	})
}
