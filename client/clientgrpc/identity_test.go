package clientgrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/peer"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

func authority(t *testing.T) *ca.CA { return authorityOf(t, "shop") }

func authorityOf(t *testing.T, domain string) *ca.CA {
	t.Helper()
	a, err := ca.New(ca.Config{TrustDomain: domain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func identityOf(t *testing.T, a *ca.CA, id string) *ca.Identity {
	t.Helper()
	i, err := a.Identity(id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// guarded answers and notes the certificates of its callers.
type guarded struct {
	testpb.UnimplementedTestServiceServer
	mu      sync.Mutex
	callers map[string]int // by serial number
}

func (s *guarded) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	p, _ := peer.FromContext(ctx)
	serial := p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].SerialNumber.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers[serial]++
	return &testpb.Empty{}, nil
}

// serveAs serves with an identity.
func (w *world) serveAs(addr string, id security.Identity) *guarded {
	s := &guarded{callers: make(map[string]int)}
	gs := grpc.NewServer(grpc.Creds(credentials.NewTLS(security.ServerTLS(id, nil))))
	testpb.RegisterTestServiceServer(gs, s)
	w.serve(addr, gs)
	return s
}

// connAs connects with the credentials of the client's identity.
func (w *world) connAs(opts ...grpc.DialOption) testpb.TestServiceClient {
	w.t.Helper()
	cc, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(w.c), opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = cc.Close() })
	return testpb.NewTestServiceClient(cc)
}

func identified(id security.Identity, server string) client.Config {
	cfg := under(resilience.Policy{})
	cfg.Identity, cfg.ServerID = id, func(string) string { return server }
	return cfg
}

func TestIdentity(t *testing.T) {
	shop := authority(t)
	w := newWorld(t, identified(identityOf(t, shop, "/web"), "spiffe://shop/orders"), "a:1")
	s := w.serveAs("a:1", identityOf(t, shop, "/orders"))
	if _, err := w.connAs().EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if len(s.callers) != 1 {
		t.Errorf("seen: %v", s.callers)
	}
}

func TestIdentityOfAnother(t *testing.T) {
	shop := authority(t)
	w := newWorld(t, identified(identityOf(t, shop, "/web"), "spiffe://shop/payments"), "a:1")
	w.serveAs("a:1", identityOf(t, shop, "/orders"))
	_, err := w.connAs().EmptyCall(t.Context(), &testpb.Empty{})
	var e *client.Error
	var h *security.HandshakeError
	if !errors.As(err, &e) || !errors.As(err, &h) || h.Reason != security.WrongIdentity {
		t.Errorf("got %v, want a client.Error for the wrong identity", err)
	}
}

// TestStranger: the server does not accept this process, and says so by an alert, which TLS 1.3 has after the handshake. A
// write that fails before the alert is read leaves only the connection's error.
func TestStranger(t *testing.T) {
	shop, other := authority(t), authorityOf(t, "other")
	if err := other.Federate(shop.Bundle()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, identified(identityOf(t, other, "/web"), "spiffe://shop/orders"), "a:1")
	s := w.serveAs("a:1", identityOf(t, shop, "/orders"))
	_, err := w.connAs().EmptyCall(t.Context(), &testpb.Empty{})
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.ConnectFailed || e.Attempts != 1 {
		t.Errorf("got %v, want a client.Error for a connection that was not to be had", err)
	}
	if !errors.Is(err, security.ErrHandshakeRefused) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want a refused handshake or a broken pipe", err)
	}
	if len(s.callers) != 0 {
		t.Errorf("the handler ran for %v", s.callers)
	}
}

// TestIdentityHoldsFast: credentials that are given after ours would make the connection plain.
func TestIdentityHoldsFast(t *testing.T) {
	shop := authority(t)
	w := newWorld(t, identified(identityOf(t, shop, "/web"), "spiffe://shop/orders"), "a:1")
	w.serve("a:1", grpc.NewServer())
	_, err := w.connAs(grpc.WithTransportCredentials(insecure.NewCredentials())).EmptyCall(t.Context(), &testpb.Empty{})
	if err == nil || !strings.Contains(err.Error(), "other transport credentials") {
		t.Errorf("got %v", err)
	}
}

// TestRotation renews the certificates of both sides again and again while calls run: none fails, with no retries to hide
// it, and connections are replaced by those of the new certificates.
func TestRotation(t *testing.T) {
	shop := authority(t)
	web, orders := identityOf(t, shop, "/web"), identityOf(t, shop, "/orders")
	w := newWorld(t, identified(web, "spiffe://shop/orders"), "a:1", "b:1")
	a, b := w.serveAs("a:1", orders), w.serveAs("b:1", orders)
	tc := w.connAs()

	const rotations, callers = 10, 4
	tick := make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range tick {
				if _, err := tc.EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	certificates := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(a.callers) + len(b.callers)
	}
	for range rotations {
		before := certificates()
		if err := errors.Join(web.Renew(), orders.Renew()); err != nil {
			t.Fatal(err)
		}
		for certificates() == before && !t.Failed() { // until calls come by the new certificate
			tick <- struct{}{}
		}
	}
	close(tick)
	wg.Wait()
}
