package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

func TestSmoke(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Host+" "+string(b)+" "+r.Header.Get("X-Envoy-Attempt-Count"))
	}))
	defer srv.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}, {Addr: dead.Listener.Addr().String()}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}
	for i := range 20 {
		var info client.Info
		req, _ := http.NewRequestWithContext(client.With(t.Context(), client.Options{Info: &info}), "POST", "mesh://orders/x", io.NopCloser(strings.NewReader("hello")))
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if i < 5 {
			t.Logf("%d %s %+v", resp.StatusCode, b, info)
		}
	}
	_, err = hc.Get("mesh://nobody/")
	t.Log(err, errors.Is(err, discovery.ErrUnknownService))
	_ = context.Background
}
