package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestConfigErrorsNameFieldAndValue(t *testing.T) {
	_, err := New(Config{DrainTimeout: -time.Second})
	if err == nil || !strings.Contains(err.Error(), "DrainTimeout") || !strings.Contains(err.Error(), "-1s") {
		t.Errorf("New = %v", err)
	}
}

func TestZeroConfig(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadyHandler(t *testing.T) {
	s := mustNew(t, Config{})
	probe := func() int {
		rec := httptest.NewRecorder()
		s.ReadyHandler().ServeHTTP(rec, httptest.NewRequest("GET", "/healthz", nil))
		return rec.Code
	}
	if got := probe(); got != 200 || !s.Ready() {
		t.Errorf("before the drain: %d", got)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := probe(); got != 503 || s.Ready() {
		t.Errorf("after the drain: %d", got)
	}
}

func TestAttachFillsOnlyWhatIsZero(t *testing.T) {
	s := mustNew(t, Config{})
	h := http.NotFoundHandler()
	var zero, own, readTimeout http.Server
	own = http.Server{Handler: s.Handler(h), ReadHeaderTimeout: 1, MaxHeaderBytes: 2, IdleTimeout: 3}
	wrapped := own.Handler
	readTimeout.ReadTimeout = time.Second
	for _, srv := range []*http.Server{&zero, &own, &readTimeout} {
		s.Attach(srv)
	}
	if zero.ReadHeaderTimeout != 10*time.Second || zero.MaxHeaderBytes != 64<<10 || zero.IdleTimeout != 620*time.Second {
		t.Errorf("zero server: %v, %v, %v", zero.ReadHeaderTimeout, zero.MaxHeaderBytes, zero.IdleTimeout)
	}
	if zero.Handler == nil {
		t.Error("the default mux was not wrapped")
	}
	if own.ReadHeaderTimeout != 1 || own.MaxHeaderBytes != 2 || own.IdleTimeout != 3 || own.Handler != wrapped {
		t.Errorf("settings of the user were changed: %v, %v, %v", own.ReadHeaderTimeout, own.MaxHeaderBytes, own.IdleTimeout)
	}
	if readTimeout.ReadHeaderTimeout != 0 || readTimeout.IdleTimeout != 0 {
		t.Errorf("ReadTimeout was overruled: %v, %v", readTimeout.ReadHeaderTimeout, readTimeout.IdleTimeout)
	}
}
