package consul

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// shop is two services under constant load: "orders" over HTTP and "stock" over gRPC, found through a Plane.
type shop struct {
	t      *testing.T
	client *client.Client
	http   *http.Client
	conn   *grpc.ClientConn

	ctx    context.Context
	end    context.CancelFunc
	loops  sync.WaitGroup
	orders atomic.Int64 // calls that are over, those that failed too
	stock  atomic.Int64

	mu     sync.Mutex
	failed []string
}

// visit is a call to "orders", with the address that answered.
func (s *shop) visit(ctx context.Context, method string) (string, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("a red bicycle")
	}
	req, err := http.NewRequestWithContext(ctx, method, "mesh://orders/", body)
	if err != nil {
		return "", err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	from, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(from), err
}

// openShop makes the client, whose endpoints come from p. It has the usual policy.
func openShop(t *testing.T, p discovery.Source) *shop {
	t.Helper()
	c, err := client.New(client.Config{
		Discovery: p, Resilience: resilience.Config{Default: resilience.Standard()}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("mesh:///stock", append(clientgrpc.DialOptions(c),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &shop{t: t, client: c, http: &http.Client{Transport: c.Transport(nil)}, conn: conn, ctx: ctx, end: cancel}
	t.Cleanup(func() { s.stop(); conn.Close(); c.Close() })
	return s
}

// load begins to call, from when all endpoints are known on: each loop waits for its call and a moment, and calls again.
func (s *shop) load(methods ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := s.client.Ready(ctx, "orders", "stock"); err != nil {
		s.t.Fatal(err)
	}
	for _, m := range methods {
		s.loop(&s.orders, func(ctx context.Context) error { _, err := s.visit(ctx, m); return err })
	}
	health := healthpb.NewHealthClient(s.conn)
	s.loop(&s.stock, func(ctx context.Context) error {
		_, err := health.Check(ctx, &healthpb.HealthCheckRequest{})
		return err
	})
}

func (s *shop) loop(count *atomic.Int64, do func(context.Context) error) {
	s.loops.Go(func() {
		think := time.NewTicker(5 * time.Millisecond)
		defer think.Stop()
		for {
			select {
			case <-s.ctx.Done():
				return
			case <-think.C:
			}
			err := do(s.ctx)
			if s.ctx.Err() != nil {
				return
			}
			if err != nil {
				s.note(err)
			}
			count.Add(1)
		}
	})
}

func (s *shop) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, time.Now().Format("15:04:05.000 ")+err.Error())
}

// more waits for n further calls of each service.
func (s *shop) more(n int64) {
	s.t.Helper()
	orders, stock := s.orders.Load()+n, s.stock.Load()+n
	eventually(s.t, "further calls", func() bool { return s.orders.Load() >= orders && s.stock.Load() >= stock })
}

func (s *shop) stop() {
	s.end()
	s.loops.Wait()
}

// close ends the load and demands that no call has failed.
func (s *shop) close() {
	s.t.Helper()
	s.more(100)
	s.stop()
	s.t.Logf("%d calls over HTTP, %d over gRPC, %d failed", s.orders.Load(), s.stock.Load(), len(s.failed))
	for i, f := range s.failed {
		if s.t.Error(f); i == 4 {
			break
		}
	}
}

// tells waits until a log has, since it had that many bytes, the words about both services.
func tells(t *testing.T, out *logs, since int, words string) {
	t.Helper()
	eventually(t, words, func() bool {
		lines := strings.Split(out.String()[since:], "\n")
		return !slices.ContainsFunc([]string{"service=orders", "service=stock"}, func(service string) bool {
			return !slices.ContainsFunc(lines, func(line string) bool { return containsAll(line, words, service) })
		})
	})
}

// eventually waits for something to be true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// sell runs an instance of "orders" and registers it, with the usual check unless others are given.
func sell(t *testing.T, p *Plane, checks ...discovery.Check) (*httptest.Server, discovery.Lease) {
	t.Helper()
	var addr string
	ready := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-ready
		fmt.Fprint(w, addr)
	}))
	addr = srv.Listener.Addr().String()
	close(ready)
	t.Cleanup(srv.Close)
	return srv, register(t, p, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: addr}, Checks: checks})
}

// store runs an instance of "stock" and registers it.
func store(t *testing.T, p *Plane) discovery.Lease {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gs := grpc.NewServer()
	healthpb.RegisterHealthServer(gs, health.NewServer())
	go gs.Serve(l)
	t.Cleanup(gs.Stop)
	return register(t, p, discovery.Registration{Service: "stock", Endpoint: discovery.Endpoint{Addr: l.Addr().String()}})
}

// staff runs two instances of each service, registered by each of these.
func staff(t *testing.T, registrars ...*Plane) {
	t.Helper()
	for range 2 {
		for _, p := range registrars {
			sell(t, p)
			store(t, p)
		}
	}
}

// sees waits until the news of a service has n instances.
func (l *listener) sees(n int) {
	l.t.Helper()
	l.until(func(u discovery.Update) bool { return len(l.set) == n && u.Kind != discovery.Failed })
}
