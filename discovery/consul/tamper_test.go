package consul

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// tamper stands before a Consul, counts what it is asked of services, and spoils the answers when told to.
type tamper struct {
	*httptest.Server
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	spoil  http.HandlerFunc // answers about services instead; nil: Consul does
	change context.Context  // ends when spoil changes, and with it what is held open
	cancel context.CancelFunc
	asked  []time.Time
}

func newTamper(t *testing.T, addr string) *tamper {
	t.Helper()
	p := &tamper{proxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})}
	transport := &http.Transport{DisableKeepAlives: true}
	p.proxy.Transport = transport
	p.proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) } // as if it had not answered
	p.change, p.cancel = context.WithCancel(context.Background())
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = discardLog
	p.Start()
	t.Cleanup(func() { p.spoiled(nil); p.CloseClientConnections(); p.Close() })
	return p
}

func (p *tamper) addr() string { return p.Listener.Addr().String() }

// spoiled has answers about services given by h, those that are waited for too.
func (p *tamper) spoiled(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = h
	p.cancel()
	p.change, p.cancel = context.WithCancel(context.Background())
}

// questions are when it was asked about services since.
func (p *tamper) questions(since time.Time) []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, at := range p.asked {
		if at.After(since) {
			return p.asked[i:len(p.asked):len(p.asked)]
		}
	}
	return nil
}

func (p *tamper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/v1/health/") {
		p.proxy.ServeHTTP(w, r)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, time.Now())
	spoil, change := p.spoil, p.change
	p.mu.Unlock()
	if spoil != nil {
		spoil(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(change, cancel)()
	p.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// through answers with what Consul says, at once, changed by f.
func (p *tamper) through(f func(body []byte, h http.Header) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		r.Header.Del("Accept-Encoding")
		q := r.URL.Query()
		q.Del("index")
		r.URL.RawQuery = q.Encode()
		p.proxy.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		body := f(rec.Body.Bytes(), w.Header())
		w.WriteHeader(rec.Code)
		w.Write(body)
	}
}
