package server

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// nothing said, nothing added: the handler gets the very request.
func TestPlainRequestPassesAsItIs(t *testing.T) {
	s := mustNew(t, Config{})
	in := httptest.NewRequest("POST", "/x?y=z", strings.NewReader("body"))
	called := false
	s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		if r != in {
			t.Error("the request was copied")
		}
		if call.InboundFrom(r.Context()) != nil {
			t.Error("an attempt's number was made up")
		}
	})).ServeHTTP(httptest.NewRecorder(), in)
	if !called {
		t.Error("the handler was not called")
	}
}

func TestDeadlineEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustNew(t, Config{})
		defer s.Close()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(call.HeaderDeadline, "1500")
		start := time.Now()
		var after context.Context
		s.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			if took := time.Since(start); took != 1500*time.Millisecond || r.Context().Err() != context.DeadlineExceeded {
				t.Errorf("%v after %v", r.Context().Err(), took)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)

		s.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			after = r.Context()
		})).ServeHTTP(httptest.NewRecorder(), r)
		if after.Err() != context.Canceled {
			t.Errorf("the context outlived its handler: %v", after.Err())
		}
	})
}

func TestExpiredRequestIsRefusedBeforeWork(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("the handler was called")
		}))
		for header, value := range map[string]string{
			call.HeaderDeadline: "0", call.HeaderConnectDeadline: "-5", call.HeaderGRPCDeadline: "0n",
		} {
			res, body := wi.get(t, hc, ts.URL, header, value)
			if res.StatusCode != http.StatusGatewayTimeout || !strings.Contains(body, "deadline had passed") {
				t.Errorf("%s: %d %q", header, res.StatusCode, body)
			}
			if res.Header.Get(call.HeaderOverloaded) != "" {
				t.Errorf("%s: the answer has the overload mark", header)
			}
		}
	})
}

func TestAttemptReachesTheHandler(t *testing.T) {
	for value, want := range map[string]int{"": 0, "0": 0, "1": 0, "2": 2, "17": 17, "many": 0} {
		s := mustNew(t, Config{})
		r := httptest.NewRequest("GET", "/", nil)
		if value != "" {
			r.Header.Set(call.HeaderAttempt, value)
		}
		s.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got := 0
			if in := call.InboundFrom(r.Context()); in != nil {
				got = in.Attempt
			}
			if got != want {
				t.Errorf("%q: attempt %d, want %d", value, got, want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

// net/http removes the files of a large upload by looking at its own request, so a copy must hand them back.
func TestUploadLeavesNoFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := mustNew(t, Config{})
	ts, hc := wireH1.serve(t, s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		if files, _ := os.ReadDir(os.Getenv("TMPDIR")); len(files) == 0 {
			t.Error("no file was made; the test is void")
		}
	}))
	body, form := io.Pipe()
	mw := multipart.NewWriter(form)
	go func() {
		part, _ := mw.CreateFormFile("f", "f.txt")
		_, _ = io.WriteString(part, strings.Repeat("x", 1<<20))
		_ = mw.Close()
		_ = form.Close()
	}()
	req, _ := http.NewRequest("POST", ts.URL, body)
	req.Header.Set("Content-Type", mw.FormDataContentType())
	req.Header.Set(call.HeaderDeadline, "600000")
	res, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	ts.Close() // waits until the request is finished
	if files, _ := os.ReadDir(os.Getenv("TMPDIR")); len(files) != 0 {
		t.Errorf("%d files were left", len(files))
	}
}

func TestPatternReachesMiddlewareOutside(t *testing.T) {
	s := mustNew(t, Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	r := httptest.NewRequest("GET", "/orders/7", nil)
	r.Header.Set(call.HeaderDeadline, "1000")
	s.Handler(mux).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "GET /orders/{id}" {
		t.Errorf("pattern %q", r.Pattern)
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Flush()                      {}

func TestAllocations(t *testing.T) {
	s := mustNew(t, Config{})
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	r := &http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{}}
	r = r.WithContext(context.Background())
	w := http.ResponseWriter(discard{http.Header{}})
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 1 {
		t.Errorf("%v allocations a request", n)
	}
	r.Header.Set(call.HeaderDeadline, "1000") // a context, and a request that has it
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 3 {
		t.Errorf("%v allocations a request with a deadline", n)
	}
}
