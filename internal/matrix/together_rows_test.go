package matrix

import (
	"testing"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

// togetherRows are fields that act on another one only: each is set beside that one.
var togetherRows = []row{
	{
		field: "Budget that has nothing to give, beside Retry", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Default = resilience.Policy{Retry: retryAll(), Budget: &resilience.Budget{Ratio: -1, PerSecond: -1}}
		},
		differs: vetoed,
	},
	{
		field: "Services that names this one", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Services = map[string]resilience.Policy{"orders": {Retry: retryAll()}}
		},
		differs: repeats,
	},
	{
		field: "Services that turns the default off", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Default.Retry = retryAll()
			c.Resilience.Services = map[string]resilience.Policy{"orders": {}}
		},
	},
	{
		field: "NoRetry beside Retry", wirings: bothClients,
		client:  func(c *client.Config, _ *world) { c.Resilience.Default.Retry = retryAll() },
		options: &client.Options{NoRetry: true},
		differs: vetoed,
	},
	{
		field: "no ReplayBuffer beside Retry", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Default.Retry, c.ReplayBuffer = retryAll(), -1
		},
		differs: func(k cell, want, got *exchange) {
			if k.column.isGRPC() || !k.column.streaming {
				repeats(k, want, got) // a message is kept by gRPC, and there is none in a GET
			}
		},
	},
	{
		field: "safe Retry", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Resilience.Default.Retry = &resilience.Retry{} },
		differs: func(k cell, want, got *exchange) {
			if !k.column.isGRPC() && !k.column.streaming {
				repeats(k, want, got) // a GET; nothing says that the methods of gRPC's test service may be executed twice
				return
			}
			vetoed(k, want, got)
		},
	},
	{
		field: "Idempotent beside safe Retry", wirings: bothClients,
		client:  func(c *client.Config, _ *world) { c.Resilience.Default.Retry = &resilience.Retry{} },
		options: &client.Options{Idempotent: true},
		differs: func(k cell, want, got *exchange) {
			if !k.column.isGRPC() || !k.column.streaming {
				repeats(k, want, got) // what grpc repeats is settled before the call, by the policy and the proto
			}
			if k.scenario.deadline && k.column.isGRPC() && !k.column.streaming {
				want.each(func(s *sight) { s.Left = callersDeadline / 2 }) // a try has half of the time
				want.eachAttempt(func(a *attempt) { a.Left = callersDeadline / 2 })
			}
		},
	},
	{
		field: "WrapAttempt beside Retry", wirings: bothClients,
		client: func(c *client.Config, w *world) {
			c.WrapAttempt, c.Resilience.Default.Retry = counted(w), retryAll()
		},
		differs: func(k cell, want, got *exchange) {
			repeats(k, want, got)
			seesAttempts(k, want, got)
		},
	},
	{
		field: "Dial beside Timeout", wirings: withSource,
		client: func(c *client.Config, w *world) {
			c.Dial = dialling(w)
			c.Resilience.Default.Timeout = &resilience.Timeout{Reply: time.Second, Idle: time.Minute}
		},
		differs: func(k cell, want, got *exchange) {
			givesUp(k, want, got)
			dialsEndpoints(k, want, got)
		},
	},
}

// TestFieldsTogether shows what fields do that act on another one only.
func TestFieldsTogether(t *testing.T) { eachCell(t, togetherRows, scenarios...) }
