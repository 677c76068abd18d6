package consul

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
	"github.com/intramesh/intramesh/server"
)

// TestServer has a server with a request in hand drain: Consul takes it out of service while it works, and forgets it when
// it has finished.
func TestServer(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	p := newPlane(t, Config{Address: s.Addr()})
	srv, err := server.New(server.Config{DrainDelay: -1, DrainTimeout: patience, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	finish := make(chan struct{})
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-finish
		_, _ = io.WriteString(w, "whole")
	}))
	srv.Attach(web.Config)
	web.Start()
	defer web.Close()

	addr := web.Listener.Addr().String()
	w := listen(t, p, "orders")
	reg := discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: addr}}
	if err := srv.Register(t.Context(), p, reg); err != nil {
		t.Fatal(err)
	}
	w.has(addr)
	resp, err := web.Client().Get("http://" + w.set[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()

	drained := make(chan error, 1)
	go func() { drained <- srv.Drain(context.Background()) }()
	w.has() // known, and nobody is to be called
	s.Until("the instance is in maintenance", func() bool {
		checks, err := s.Client().Agent().Checks()
		return err == nil && checks["_service_maintenance:orders-"+addr] != nil
	})
	began := time.Now()
	close(finish)
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "whole" {
		t.Errorf("the request in hand was answered %q, %v", body, err)
	}
	web.Client().CloseIdleConnections()
	if err := <-drained; err != nil {
		t.Error(err)
	}
	all, err := s.Client().Agent().Services()
	if err != nil || len(all) != 0 {
		t.Errorf("after Drain the agent has %v, %v", all, err)
	}
	t.Logf("the instance had left %v after its last request", time.Since(began).Round(time.Millisecond))
	w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
}
