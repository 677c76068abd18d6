package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// known is the configuration that people know.
const known = `
apiVersion: networking.istio.io/v1alpha3
kind: DestinationRule
metadata: {name: my-service-rules}
spec:
  host: my-service
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    outlierDetection: {consecutive5xxErrors: 3, interval: 10s, baseEjectionTime: 30s}
    tls: {mode: ISTIO_MUTUAL}
    connectionPool:
      tcp: {maxConnections: 100}
      http: {http1MaxPendingRequests: 10, http2MaxRequests: 1000, maxRequestsPerConnection: 100, idleTimeout: 1m, h2UpgradePolicy: UPGRADE}
`

// endpoints are ten of it, so that a tenth is one.
const endpoints = `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: my-service}
spec:
  hosts: [my-service.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  subjectAltNames: ["spiffe://cluster.local/my-service"]
  endpoints: [%s]
`

// village is ten servers with an identity each, and a client by manifests.
type village struct {
	t      *testing.T
	net    memnet.Network
	calls  [10]atomic.Int64
	answer func(i int, w http.ResponseWriter, r *http.Request)
	c      *http.Client
}

func newVillage(t *testing.T, rules string) *village {
	t.Helper()
	v := &village{t: t, answer: func(int, http.ResponseWriter, *http.Request) {}}
	authority, err := ca.New(ca.Config{TrustDomain: "cluster.local"})
	v.do(err)
	t.Cleanup(func() { _ = authority.Close() })
	id, err := authority.Identity("/my-service")
	v.do(err)
	var addresses []string
	for i := range v.calls {
		address := fmt.Sprintf("10.0.0.%d", i+1)
		addresses = append(addresses, "{address: "+address+"}")
		v.serve(i, address+":80", id)
	}
	dir := t.TempDir()
	v.do(os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(rules+fmt.Sprintf(endpoints, strings.Join(addresses, ", "))), 0o600))
	plane, err := manifest.New(manifest.Config{Paths: []string{dir}, Poll: -1, Logger: slog.New(slog.DiscardHandler)})
	v.do(err)
	t.Cleanup(func() { _ = plane.Close() })
	if found, err := plane.Findings(); len(found) > 0 || err != nil {
		t.Fatal(found, err)
	}
	web, err := authority.Identity("/web")
	v.do(err)
	c, err := client.New(client.Config{
		Discovery: plane, Traffic: plane, Identity: web, Logger: slog.New(slog.DiscardHandler),
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			return v.net.DialContext(ctx, "tcp", e.Addr)
		},
	})
	v.do(err)
	t.Cleanup(func() { _ = c.Close() })
	v.c = &http.Client{Transport: c.Transport(nil)}
	return v
}

func (v *village) do(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *village) serve(i int, addr string, id security.Identity) {
	l, err := v.net.Listen(addr)
	v.do(err)
	srv := &http.Server{
		TLSConfig: security.ServerTLS(id, nil), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.calls[i].Add(1)
			if r.ProtoMajor != 2 {
				v.t.Errorf("a request over %s, with UPGRADE", r.Proto)
			}
			v.answer(i, w, r)
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.ServeTLS(l, "", "")
	}()
	v.t.Cleanup(func() { _ = srv.Close(); <-done })
}

// call makes a call by one of the names of the service.
func (v *village) call(name string) (int, error) {
	resp, err := v.c.Get("mesh://" + name + "/")
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

var aliases = []string{"my-service", "my-service.default", "my-service.default.svc.cluster.local", "my-service:80"}

// TestKnownConfigurationTakesTurns: round robin over all endpoints, under whatever name.
func TestKnownConfigurationTakesTurns(t *testing.T) {
	v := newVillage(t, known)
	for i := range 60 {
		if status, err := v.call(aliases[i%3]); status != 200 {
			t.Fatal(status, err)
		}
	}
	for i := range v.calls {
		if n := v.calls[i].Load(); n != 6 {
			t.Errorf("endpoint %d has had %d of 60 calls", i, n)
		}
	}
}

// TestKnownConfigurationEjects: the third failure in a row takes an endpoint out, and a tenth of them at most.
func TestKnownConfigurationEjects(t *testing.T) {
	v := newVillage(t, known)
	v.answer = func(i int, w http.ResponseWriter, _ *http.Request) {
		if i < 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	failures := 0
	for range 100 {
		status, err := v.call("my-service")
		v.do(err)
		if status != 200 {
			failures++
		}
	}
	a, b := v.calls[0].Load(), v.calls[1].Load()
	if min(a, b) != 3 || max(a, b) < 10 {
		t.Errorf("the endpoints that fail have had %d and %d calls: want one ejected after 3, and the other one not", a, b)
	}
	if int64(failures) != a+b {
		t.Errorf("%d failures of %d calls that failed: 500 is not repeated", failures, a+b)
	}
}

// TestKnownConfigurationLimits: a thousand calls are under way, and the next one is refused.
func TestKnownConfigurationLimits(t *testing.T) {
	v := newVillage(t, known)
	for range v.calls { // maxConnections is for HTTP/1.1, and which it is is known from the first answer
		_, err := v.call("my-service")
		v.do(err)
	}
	arrived, release := make(chan struct{}), make(chan struct{})
	v.answer = func(int, http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}
	var calls sync.WaitGroup
	failed := make(chan error, 1000)
	for range 1000 {
		calls.Go(func() {
			if status, err := v.call("my-service"); status != 200 {
				failed <- fmt.Errorf("%d, %w", status, err)
			}
		})
	}
	for range 1000 {
		select {
		case <-arrived:
		case err := <-failed:
			t.Error(err)
		}
	}
	if _, err := v.call("my-service"); !errors.Is(err, resilience.ErrLimited) {
		t.Errorf("the call beyond the limit: %v", err)
	}
	close(release)
	calls.Wait()
}

// TestCanaryActs: weights, a header and a 404, with the calls that they lead to.
func TestCanaryActs(t *testing.T) {
	v := newVillage(t, strings.Replace(known, "trafficPolicy:", "subsets: [{name: all}]\n  trafficPolicy:", 1)+`---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: my-service}
spec:
  hosts: [my-service]
  http:
  - match: [{uri: {exact: /}, headers: {x-fault: {}}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: my-service}}]
  - match: [{uri: {exact: /}}]
    route: [{destination: {host: my-service, subset: all}, headers: {request: {set: {x-seen: "yes"}}}}]
    rewrite: {uri: /inner}
`)
	v.answer = func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/inner" || r.Header.Get("X-Seen") != "yes" {
			w.WriteHeader(http.StatusTeapot)
		}
	}
	for path, c := range map[string]struct {
		header string
		status int
	}{"/": {"", 200}, "/other": {"", 404}, "": {"x-fault", 418}} {
		r, err := http.NewRequest(http.MethodGet, "mesh://my-service.default"+path, http.NoBody)
		v.do(err)
		if c.header != "" {
			r.Header.Set(c.header, "")
		}
		resp, err := v.c.Do(r)
		v.do(err)
		if _ = resp.Body.Close(); resp.StatusCode != c.status {
			t.Errorf("%q: %d, want %d", path, resp.StatusCode, c.status)
		}
	}
}
