package consul

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/internal/consultest"
)

// recorder stands between a Plane and a real server and writes down what passes.
type recorder struct {
	*httptest.Server
	mu        sync.Mutex
	exchanges []exchange
}

// exchange is a request and the header of its answer.
type exchange struct {
	path, query, token, auth string
	status                   int
	header                   http.Header
}

// record makes a recorder for what is asked of a server.
func record(t *testing.T, s *consultest.Server) *recorder {
	t.Helper()
	r := new(recorder)
	to := &url.URL{Scheme: "http", Host: s.Addr()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, "/gateway")
		},
		ModifyResponse: r.note,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(502) },
		Transport:      &http.Transport{DisableKeepAlives: true},
	}
	r.Server = httptest.NewServer(proxy)
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func (r *recorder) note(resp *http.Response) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	req := resp.Request
	r.exchanges = append(r.exchanges, exchange{path: req.URL.Path, query: "?" + req.URL.Query().Encode(),
		token: req.Header.Get("X-Consul-Token"), auth: req.Header.Get("Authorization"), status: resp.StatusCode, header: resp.Header})
	return nil
}

// all are the exchanges about a path.
func (r *recorder) all(path string) []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []exchange
	for _, e := range r.exchanges {
		if strings.Contains(e.path, path) {
			found = append(found, e)
		}
	}
	return found
}

// last is the latest exchange about a path.
func (r *recorder) last(t *testing.T, path string) exchange {
	t.Helper()
	found := r.all(path)
	if len(found) == 0 {
		t.Fatalf("nothing was asked about %s", path)
	}
	return found[len(found)-1]
}
