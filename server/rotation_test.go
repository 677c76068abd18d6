package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// Certificates and the authority are replaced while clients call without a pause, some with calls that take seconds: none
// fails, although none may be repeated.
func TestRotationUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		synctest.Test(t, func(t *testing.T) {
			authority, err := ca.New(ca.Config{TrustDomain: "shop", TTL: time.Minute, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer authority.Close()
			identity := func(id string) security.Identity {
				i, err := authority.Identity(id)
				if err != nil {
					t.Fatal(err)
				}
				return i
			}
			sh := &shop{t: t, net: new(memnet.Network)}
			sh.Server = mustNew(t, Config{
				Identity: identity("/orders"), Authorize: security.AllowID("spiffe://shop/web"),
				Logger: slog.New(slog.NewTextHandler(&sh.log, nil)),
			})
			sh.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/slow" {
					time.Sleep(5 * time.Second)
				}
			}))
			web := identity("/web")

			ctx, stop := context.WithCancel(t.Context())
			var calls atomic.Int64
			var wg sync.WaitGroup
			for _, path := range []string{"/", "/", "/slow", "/slow"} {
				hc := sh.client(wi.major, sh.as(web))
				wg.Go(func() {
					for ctx.Err() == nil {
						calls.Add(1)
						res, err := hc.Post(sh.url(path), "text/plain", strings.NewReader("not to be repeated"))
						if err != nil {
							t.Errorf("call %d: %v", calls.Load(), err)
							return
						}
						_ = res.Body.Close()
						if res.StatusCode != 200 {
							t.Errorf("call %d: %s", calls.Load(), res.Status)
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
			for range 2 {
				if err := authority.Rotate(ctx, time.Second); err != nil {
					t.Error(err)
				}
			}
			stop()
			wg.Wait()
			if n := calls.Load(); n < 1000 {
				t.Errorf("%d calls only", n)
			}
			if sh.log.String() != "" {
				t.Errorf("log:\n%s", sh.log.String())
			}
		})
	})
}
