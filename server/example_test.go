package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/intramesh/intramesh/server"
)

func ExampleNew() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	fmt.Println("ready:", s.Ready())

	_, err = server.New(server.Config{DrainTimeout: -time.Second})
	fmt.Println(err)
	// Output:
	// ready: true
	// server: DrainTimeout: -1s: must not be negative (use Close for no grace)
}

// Handler wraps any handler; here a test server serves it. The caller's remaining time is the request's.
func ExampleServer_Handler() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadline, ok := r.Context().Deadline()
		fmt.Fprintln(w, ok, time.Until(deadline) > 59*time.Second)
	})
	ts := httptest.NewServer(s.Handler(orders))
	defer ts.Close()

	req, _ := http.NewRequest("GET", ts.URL, nil)
	req.Header.Set("X-Envoy-Expected-Rq-Timeout-Ms", "120000")
	res, err := ts.Client().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Print(string(body))
	// Output: true true
}

// Attach makes an http.Server drain with everything else that the process serves.
func ExampleServer_Attach() {
	s, err := server.New(server.Config{DrainDelay: -1}) // services that others find keep the default of 5 s
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler()}
	s.Attach(srv)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()

	fmt.Println(s.Drain(context.Background()))
	fmt.Println(errors.Is(<-served, http.ErrServerClosed))
	// Output:
	// <nil>
	// true
}

// A handler that has too much to do refuses before it does anything, so that the caller can go elsewhere at once.
func ExampleRefuse() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	slots := make(chan struct{}) // a limit of none
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
		default:
			server.Refuse(w, time.Second)
		}
	}))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "/orders", nil))
	fmt.Println(rec.Code, rec.Header().Get("X-Envoy-Overloaded"), rec.Header().Get("Retry-After"))
	// Output: 503 true 1
}
