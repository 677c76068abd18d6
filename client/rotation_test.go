package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/security"
)

// TestRotation renews the certificates of both sides again and again while calls run. None fails, with no retries to hide
// it, and the connections are those of the new certificates.
func TestRotation(t *testing.T) {
	shop := authority(t, "shop")
	orders, web := identityOf(t, shop, "/orders"), identityOf(t, shop, "/web")
	var mu sync.Mutex
	serials := make(map[string]bool)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		serials[r.TLS.PeerCertificates[0].SerialNumber.String()] = true
		mu.Unlock()
		_, _ = io.Copy(w, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.TLS = security.ServerTLS(orders, nil)
	srv.StartTLS()
	defer srv.Close()
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String(), ID: "spiffe://shop/orders"}}},
		Identity:  web,
	})
	hc := &http.Client{Transport: c.Transport(nil)}

	const rotations, callers = 20, 4
	tick := make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range tick {
				resp, err := hc.Get("mesh://orders/")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	for range rotations {
		for range 10 {
			tick <- struct{}{}
		}
		if err := web.Renew(); err != nil {
			t.Error(err)
		}
		if err := orders.Renew(); err != nil {
			t.Error(err)
		}
	}
	close(tick)
	wg.Wait()
	if len(serials) < rotations/2 {
		t.Errorf("%d certificates were seen over %d rotations: connections outlive their identity", len(serials), rotations)
	}
}
