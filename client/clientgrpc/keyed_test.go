package clientgrpc_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/balance"
)

// placing is a policy that places the calls of orders by a key.
func placing(alg balance.Algorithm, key traffic.Key) client.Config {
	return client.Config{Traffic: traffic.Policy{Destinations: []traffic.Destination{{
		Service: "orders", Settings: traffic.Settings{Balance: &traffic.Balance{Algorithm: alg, Hash: &key}},
	}}}}
}

var keyed = map[string]struct {
	key traffic.Key
	ctx func(ctx context.Context, user string) context.Context
}{
	"context": {traffic.Key{Context: true}, func(ctx context.Context, user string) context.Context {
		return client.With(ctx, client.Options{HashKey: user})
	}},
	"metadata": {traffic.Key{Header: "X-User"}, func(ctx context.Context, user string) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "x-user", user)
	}},
}

// From the first call on, when nothing is connected yet, calls with the same key go the same way, as unary calls and as
// streams: who is placed at an endpoint that is being connected to waits for it.
func TestHashKeyPlaces(t *testing.T) {
	for _, alg := range []balance.Algorithm{balance.RingHash, balance.Maglev} {
		for name, k := range keyed {
			t.Run(string(alg)+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, placing(alg, k.key), "a:1", "b:1", "c:1")
					for _, n := range []string{"a", "b", "c"} {
						w.serve(n+":1", answer(n).server())
					}
					cc := w.conn()
					var mu sync.Mutex
					at, servers := map[string]string{}, map[string]bool{}
					var wg sync.WaitGroup
					for i := range 200 {
						wg.Go(func() {
							user := fmt.Sprint("user ", i%20)
							got, err := run(k.ctx(t.Context(), user), cc, ways[i/20%2])
							if got == "" {
								t.Error(err)
								return
							}
							mu.Lock()
							defer mu.Unlock()
							if was, ok := at[user]; ok && was != got {
								t.Errorf("%s went to %s and to %s", user, was, got)
							}
							at[user], servers[got] = got, true
						})
					}
					wg.Wait()
					if len(servers) != 3 {
						t.Errorf("20 users went to %d servers of 3", len(servers))
					}
					_ = cc.Close()
					_ = w.c.Close()
				})
			})
		}
	}
}

// The endpoint of some keys swallows everything: its users wait a moment for it and move on, all to the same one, and no
// call fails. When it is there they go back.
func TestPlacesThatFail(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"swallows everything": func(w *world) { w.net.BlackHole("c:1") },
		"refuses":             func(w *world) { w.net.Refuse("c:1") },
	} {
		for _, alg := range []balance.Algorithm{balance.RingHash, balance.Maglev} {
			t.Run(name+"/"+string(alg), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, placing(alg, traffic.Key{Context: true}), "a:1", "b:1", "c:1")
					for _, n := range []string{"a", "b", "c"} {
						w.serve(n+":1", answer(n).server())
					}
					spoil(w)
					cc := w.conn()
					round := func() map[string]string {
						at := map[string]string{}
						for i := range 60 {
							user := fmt.Sprint("user ", i%30)
							began := time.Now()
							got, err := invoke(client.With(t.Context(), client.Options{HashKey: user}), cc, put)
							if err != nil {
								t.Fatal(err)
							}
							if took := time.Since(began); took > patience {
								t.Errorf("%s waited for %v", user, took)
							}
							at[user] = got
						}
						return at
					}
					round() // who is placed at c waits, or is at another while some are not connected yet
					time.Sleep(time.Minute)
					without := round()
					for user, at := range without {
						if at == "c" {
							t.Errorf("%s is at the endpoint that is gone", user)
						}
					}
					w.net.Restore("c:1")
					time.Sleep(time.Minute) // grpc's back-off ends at 30 s
					round()                 // asks for the connection
					synctest.Wait()
					moved := 0
					for user, at := range round() {
						if at != without[user] {
							moved++
							if at != "c" {
								t.Errorf("%s was at %s, and is at %s now", user, without[user], at)
							}
						}
					}
					if moved == 0 {
						t.Error("nobody is back")
					}
					_ = cc.Close()
					_ = w.c.Close()
				})
			})
		}
	}
}

// patience is the longest wait for one endpoint while others are ready.
const patience = time.Second
