package clientgrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

// rewriting is a policy by which the calls of a user have an authority of their own.
func rewriting() traffic.Policy {
	p := byUser()
	p.Routes[1].Rewrite = &traffic.Rewrite{Authority: "v2.shop.example"}
	p.Routes[2].Rewrite = &traffic.Rewrite{Authority: "other.shop.example:443"}
	return p
}

func authorityOfCall(t *testing.T, cc *grpc.ClientConn, user, want string, opts ...grpc.CallOption) {
	t.Helper()
	for _, method := range ways {
		r := call(as(t.Context(), user), cc, method, opts...)
		if got := r.header["saw-authority"]; r.err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s as %q: %v, the server saw the authority %q, want %q", method, user, r.err, got, want)
		}
	}
}

// Without an identity the credentials are the caller's, and those without TLS accept every authority. The route's takes the
// place of the caller's own.
func TestAuthority(t *testing.T) {
	w := parted(t, client.Config{Traffic: rewriting()})
	w.serve("c:1", says("v2").server())
	cc := w.conn()
	authorityOfCall(t, cc, "v2", "v2.shop.example")
	authorityOfCall(t, cc, "other", "other.shop.example:443")
	authorityOfCall(t, cc, "v1", "orders")
	authorityOfCall(t, cc, "v1", "mine", grpc.CallAuthority("mine"))
	authorityOfCall(t, cc, "v2", "v2.shop.example", grpc.CallAuthority("mine"))
}

// With an identity the mesh accepts what a route writes, where the route leads, and nothing else that a caller makes up.
func TestAuthorityWithIdentity(t *testing.T) {
	shop := authority(t)
	cfg := identified(identityOf(t, shop, "/web"), "spiffe://shop")
	cfg.Traffic = rewriting()
	cfg.Discovery = discovery.Static{
		"orders": {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "c:1", Metadata: labels("v2")}},
		"other":  {{Addr: "d:1"}},
	}
	w := newWorld(t, cfg)
	for addr, name := range map[string]string{"a:1": "v1", "c:1": "v2", "d:1": "other"} {
		id := identityOf(t, shop, "/"+name)
		w.serve(addr, says(name).server(grpc.Creds(credentials.NewTLS(security.ServerTLS(id, nil)))))
	}
	cc, err := grpc.NewClient("mesh:///orders", clientgrpc.DialOptions(w.c)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	refused := func(user, authority string) {
		t.Helper()
		r := call(as(t.Context(), user), cc, get, grpc.CallAuthority(authority))
		if status.Code(r.err) != codes.Unavailable || !strings.Contains(r.err.Error(), authority) {
			t.Errorf("%q as %q: %v", authority, user, r.err)
		}
	}
	refused("v1", "v2.shop.example")
	authorityOfCall(t, cc, "v2", "v2.shop.example")
	authorityOfCall(t, cc, "other", "other.shop.example:443")
	refused("v1", "v2.shop.example") // the route does not lead there
	refused("v1", "elsewhere")
	authorityOfCall(t, cc, "v1", "orders")
	authorityOfCall(t, cc, "v1", "Orders", grpc.CallAuthority("Orders"))
	refused("v1", "other")

	var p peer.Peer
	if _, err := invoke(t.Context(), cc, put, grpc.Peer(&p)); err != nil {
		t.Fatal(err)
	}
	info, ok := p.AuthInfo.(clientgrpc.TLSInfo)
	if !ok || info.AuthType() != "tls" || len(info.State.PeerCertificates) == 0 || info.SPIFFEID == nil || info.SecurityLevel != credentials.PrivacyAndIntegrity {
		t.Errorf("the caller sees of the peer %T %+v", p.AuthInfo, info.CommonAuthInfo)
	}
}

// With TLS of the caller's own it is grpc that decides, by the names in the server's certificate. Its refusal is an error of
// the mesh that names the route, after one attempt.
func TestAuthorityWithTLSOfTheCallersOwn(t *testing.T) {
	cert, pool := certificate(t, "v2.shop.example")
	w := parted(t, client.Config{Traffic: rewriting(), Resilience: standard().Resilience})
	w.net.Refuse("c:1")
	w.net.Refuse("d:1")
	l, _ := w.net.Listen("tls:1")
	gs := says("tls").server(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{cert}})))
	done := make(chan struct{})
	go func() { defer close(done); _ = gs.Serve(l) }()
	t.Cleanup(func() { gs.Stop(); <-done })
	cc := w.conn(
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "v2.shop.example"})), //nolint:gosec // as by default
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.net.DialContext(ctx, "", "tls:1") }),
	)
	authorityOfCall(t, cc, "v2", "v2.shop.example")
	for _, method := range ways {
		r := call(as(t.Context(), "other"), cc, method)
		misaddressed(t, r, "other")
	}
}

// Credentials that know nothing of authorities refuse all.
func TestAuthorityThatCredentialsDoNotKnow(t *testing.T) {
	w := parted(t, client.Config{Traffic: rewriting(), Resilience: standard().Resilience})
	w.serve("c:1", says("v2").server())
	cc := w.conn(grpc.WithTransportCredentials(unknowing{}))
	for _, method := range ways {
		misaddressed(t, call(as(t.Context(), "v2"), cc, method), "v2")
	}
	authorityOfCall(t, cc, "v1", "orders")
}

func misaddressed(t *testing.T, r result, rule string) {
	t.Helper()
	var e *client.Error
	if !errors.As(r.err, &e) || e.Reason != client.Invalid || e.Rule != rule || status.Code(r.err) != codes.FailedPrecondition || len(r.info.Attempts) != 1 {
		t.Errorf("%v after %+v", r.err, r.info)
	}
}

// unknowing is credentials whose AuthInfo validates no authority.
type unknowing struct {
	credentials.TransportCredentials
}

func (unknowing) ClientHandshake(_ context.Context, _ string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return c, plainInfo{}, nil
}
func (unknowing) Info() credentials.ProtocolInfo            { return credentials.ProtocolInfo{} }
func (u unknowing) Clone() credentials.TransportCredentials { return u }
func (unknowing) OverrideServerName(string) error           { return nil }

type plainInfo struct{ credentials.CommonAuthInfo }

func (plainInfo) AuthType() string { return "plain" }

// certificate is one for a DNS name, and the roots that vouch for it.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	root := pkitest.Root(t)
	c, err := x509.ParseCertificate(root.TLS().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return root.Workload(nil, func(c *x509.Certificate) { c.DNSNames = []string{name} }).TLS(), pool
}
