package clientgrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

func secured(t *traffic.TLS) traffic.Policy {
	return traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{TLS: t}}}}
}

// outsider is a server's credentials for example.com, of an authority that the mesh does not know, and the files of it.
type outsider struct {
	cert          tls.Certificate
	ca, pair, key string
}

func newOutsider(t *testing.T) outsider {
	t.Helper()
	old := func(c *x509.Certificate) { c.NotBefore = time.Unix(0, 0) } // in bubbles it is the year 2000
	root := pkitest.Root(t, old)
	o := outsider{cert: root.Workload(nil, old, func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} }).TLS()}
	own := root.Workload(nil).TLS()
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, der ...[]byte) string {
		var text []byte
		for _, d := range der {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: d})...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o.ca = file("ca.pem", "CERTIFICATE", root.TLS().Certificate[0])
	o.pair, o.key = file("cert.pem", "CERTIFICATE", own.Certificate...), file("key.pem", "PRIVATE KEY", der)
	return o
}

func (o outsider) simple() *traffic.TLS {
	return &traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca, ServerName: "example.com"}
}

// creds speak TLS with whoever begins with it, and plain text with others.
func (o outsider) creds() grpc.ServerOption {
	return grpc.Creds(either{credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{o.cert}, ClientAuth: tls.RequestClientCert})}) //nolint:gosec // as by default
}

type either struct {
	credentials.TransportCredentials
}

func (e either) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	first := make([]byte, 1)
	if _, err := raw.Read(first); err != nil {
		return nil, nil, err
	}
	again := &peeked{Conn: raw, first: first}
	if first[0] == 0x16 {
		return e.TransportCredentials.ServerHandshake(again)
	}
	return insecure.NewCredentials().ServerHandshake(again)
}

func (e either) Clone() credentials.TransportCredentials { return e }

// peeked is a connection whose first byte has been read.
type peeked struct {
	net.Conn

	first []byte
}

func (b *peeked) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// witness answers with what it saw of the connection: whether there is TLS, and how many certificates.
func witness(_ string, s grpc.ServerStream) error {
	p, _ := peer.FromContext(s.Context())
	info, secure := p.AuthInfo.(credentials.TLSInfo)
	if err := s.RecvMsg(new(testpb.SimpleRequest)); err != nil {
		return err
	}
	return s.SendMsg(&testpb.SimpleResponse{ServerId: fmt.Sprint(secure, min(len(info.State.PeerCertificates), 1))})
}

func (w *world) meshed() *grpc.ClientConn {
	return w.conn(grpc.WithTransportCredentials(clientgrpc.Credentials(w.c)))
}

// TestTLSModes speaks with a server that has a certificate for "example.com" of an authority of its own.
func TestTLSModes(t *testing.T) {
	o := newOutsider(t)
	for _, tt := range []struct {
		name string
		tls  *traffic.TLS
		want string // what the server saw, or a part of the error
	}{
		{"no word", nil, "false 0"},
		{"disable", &traffic.TLS{Mode: traffic.TLSDisable}, "false 0"},
		{"simple", o.simple(), "true 0"},
		{"simple, the service's name", &traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca}, "not orders"},
		{"simple, other authorities", &traffic.TLS{Mode: traffic.TLSSimple, ServerName: "example.com"}, "unknown authority"},
		{"one of the names", &traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca, Names: []string{"spiffe://x", "example.com"}}, "true 0"},
		{"none of the names", &traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca, Names: []string{"spiffe://x"}}, "none of the names"},
		{"mutual", &traffic.TLS{Mode: traffic.TLSMutual, CA: o.ca, ServerName: "example.com", Cert: o.pair, Key: o.key}, "true 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, client.Config{Traffic: secured(tt.tls)}, "a:1")
			w.serve("a:1", jobs(witness).server(o.creds()))
			for _, method := range ways {
				r := call(t.Context(), w.meshed(), method)
				if r.err != nil && !strings.Contains(r.err.Error(), tt.want) || r.err == nil && r.server != tt.want {
					t.Errorf("%s: the server saw %q, %v; want %q", method, r.server, r.err, tt.want)
				}
			}
		})
	}
}

// A destination outside of the mesh, beside those that prove an identity.
func TestTLSModesBesideAnIdentity(t *testing.T) {
	o, shop := newOutsider(t), authority(t)
	cfg := identified(identityOf(t, shop, "/web"), "spiffe://shop/orders")
	live, err := traffic.NewLive(secured(o.simple()))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Traffic = live
	w := newWorld(t, cfg, "a:1")
	mesh := credentials.NewTLS(security.ServerTLS(identityOf(t, shop, "/orders"), nil))
	gs := w.serve("a:1", jobs(witness).server(o.creds()))
	cc, err := grpc.NewClient("mesh:///orders", clientgrpc.DialOptions(w.c)...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	expect := func(want string) {
		t.Helper()
		if got, err := invoke(t.Context(), cc, put, grpc.WaitForReady(true)); got != want {
			t.Errorf("the server saw %q, %v, want %q", got, err, want)
		}
	}
	expect("true 0")
	gs.Stop()
	w.free("a:1")
	w.serve("a:1", jobs(witness).server(grpc.Creds(mesh)))
	w.change(live, secured(nil))
	expect("true 1")
}

// change sets a policy and waits until it is in force.
func (w *world) change(live *traffic.Live, p traffic.Policy) {
	w.t.Helper()
	_, changed := w.c.Core().Policy()
	if err := live.Set(p); err != nil {
		w.t.Fatal(err)
	}
	<-changed
}

// A change of policy reaches the very next call: none is sent in plain text when the policy wants TLS, nor the other way
// round. Meanwhile no call fails, and a stream goes on where it began.
func TestTLSChanges(t *testing.T) {
	o := newOutsider(t)
	live, err := traffic.NewLive(secured(nil))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, client.Config{Traffic: live}, "a:1", "b:1")
	busy := func(method string, s grpc.ServerStream) error {
		if method == push {
			return echo("")(method, s)
		}
		return witness(method, s)
	}
	w.serve("a:1", jobs(busy).server(o.creds()))
	w.serve("b:1", jobs(busy).server(o.creds()))
	cc := w.meshed()
	s := begun(t, cc)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := invoke(t.Context(), cc, put); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 30 {
		now, want := secured(o.simple()), "true 0"
		if i%2 == 1 {
			now, want = secured(&traffic.TLS{Mode: traffic.TLSDisable}), "false 0"
		}
		w.change(live, now)
		for range 3 {
			if got, err := invoke(t.Context(), cc, get); got != want {
				t.Errorf("the server saw %q, %v, want %q", got, err, want)
			}
		}
	}
	close(stop)
	wg.Wait()
	exchange(t, s)
}

// What failed by another policy does not wait for its back-off.
func TestTLSMended(t *testing.T) {
	o := newOutsider(t)
	synctest.Test(t, func(t *testing.T) {
		live, err := traffic.NewLive(secured(&traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca}))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, client.Config{Traffic: live}, "a:1")
		gs := w.serve("a:1", jobs(witness).server(o.creds()))
		defer gs.Stop()
		cc := w.meshed()
		defer w.c.Close()
		defer cc.Close()
		for range 5 {
			if _, err := invoke(t.Context(), cc, put); err == nil {
				t.Error("it has another name")
			}
			time.Sleep(time.Minute)
		}
		w.change(live, secured(o.simple()))
		synctest.Wait()
		began := time.Now()
		if got, err := invoke(t.Context(), cc, put); got != "true 0" || time.Since(began) > 0 {
			t.Errorf("%q, %v after %v", got, err, time.Since(began))
		}
	})
}

// Where the new policy cannot be met, calls fail, and do not go on by the old one.
func TestTLSMarred(t *testing.T) {
	o := newOutsider(t)
	live, err := traffic.NewLive(secured(nil))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, client.Config{Traffic: live}, "a:1")
	w.serve("a:1", jobs(witness).server(o.creds()))
	cc := w.meshed()
	if got, err := invoke(t.Context(), cc, put); got != "false 0" {
		t.Fatalf("%q, %v", got, err)
	}
	w.change(live, secured(&traffic.TLS{Mode: traffic.TLSSimple, CA: o.ca}))
	for range 3 {
		if _, err := invoke(t.Context(), cc, put); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "not orders") {
			t.Errorf("got %v", err)
		}
	}
}

// By a name, the server may be asked for what its certificate names, and for nothing else, whatever a route writes.
func TestAuthorityBySimpleTLS(t *testing.T) {
	o := newOutsider(t)
	p := secured(o.simple())
	p.Routes = rewriting().Routes[1:2]
	p.Routes[0].To = nil // v2.shop.example
	w := newWorld(t, client.Config{Traffic: p}, "a:1")
	w.serve("a:1", says("a").server(o.creds()))
	cc := w.meshed()
	authorityOfCall(t, cc, "", "example.com", grpc.CallAuthority("example.com"))
	for _, method := range ways {
		misaddressed(t, call(as(t.Context(), "v2"), cc, method), "v2")
		r := call(t.Context(), cc, method, grpc.CallAuthority("orders"))
		if status.Code(r.err) != codes.Unavailable || !strings.Contains(r.err.Error(), "not orders") {
			t.Errorf("%s: got %v", method, r.err)
		}
	}
	var at peer.Peer
	if _, err := invoke(t.Context(), cc, put, grpc.Peer(&at)); err != nil {
		t.Fatal(err)
	}
	if info, ok := at.AuthInfo.(clientgrpc.TLSInfo); !ok || info.SecurityLevel != credentials.PrivacyAndIntegrity {
		t.Errorf("the caller sees of the peer %T", at.AuthInfo)
	}
}

// Call credentials that need a secure transport never go over plain text.
func TestCallCredentialsNeedTLS(t *testing.T) {
	o := newOutsider(t)
	for _, tls := range []*traffic.TLS{nil, {Mode: traffic.TLSDisable}, o.simple()} {
		w := newWorld(t, client.Config{Traffic: secured(tls)}, "a:1")
		w.serve("a:1", says("a").server(o.creds()))
		r := call(t.Context(), w.meshed(), get, grpc.PerRPCCredentials(creds{secure: true}))
		if secure := tls == nil || tls.Mode != traffic.TLSSimple; (status.Code(r.err) == codes.Unauthenticated) != secure {
			t.Errorf("%+v: got %v", tls, r.err)
		}
	}
}

// A policy that secures connections is not passed over where the credentials are the caller's own: nothing is sent, and no
// connection is made. This is so for every call, also where the policy is changed.
func TestPolicyOfTLSAndOwnCredentials(t *testing.T) {
	o := newOutsider(t)
	live, err := traffic.NewLive(secured(o.simple()))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, client.Config{Traffic: live, Resilience: standard().Resilience}, "a:1")
	w.serve("a:1", says("a").server())
	cc := w.conn()
	refused := func() {
		t.Helper()
		for _, method := range []string{get, put, feed, push} {
			for _, wait := range []bool{true, false} {
				r := call(t.Context(), cc, method, grpc.WaitForReady(wait))
				var e *client.Error
				if !errors.As(r.err, &e) || e.Reason != client.Invalid || status.Code(r.err) != codes.FailedPrecondition || e.Service != "orders" ||
					!strings.Contains(r.err.Error(), "clientgrpc.Credentials") {
					t.Errorf("%s: got %v", method, r.err)
				}
			}
		}
	}
	refused()
	if got := w.dials(); len(got) != 0 {
		t.Errorf("dialled: %v", got)
	}
	w.change(live, secured(nil))
	if r := call(t.Context(), cc, put); r.err != nil {
		t.Error(r.err)
	}
	w.change(live, secured(o.simple()))
	refused()
	eventually(t, "the connection is closed", func() bool { return w.net.Conns("a:1") == 0 })
}

// An interceptor that takes the context away does not get around the policy.
func TestOwnCredentialsBeneathTheInterceptors(t *testing.T) {
	w := newWorld(t, client.Config{Traffic: secured(newOutsider(t).simple())}, "a:1")
	w.serve("a:1", says("a").server())
	cc := w.conn(grpc.WithChainUnaryInterceptor(func(_ context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoke(t.Context(), method, req, reply, cc, opts...)
	}))
	if _, err := invoke(t.Context(), cc, put); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "clientgrpc.Credentials") {
		t.Errorf("got %v", err)
	}
	if got := w.dials(); len(got) != 0 {
		t.Errorf("dialled: %v", got)
	}
}

// Neither does a target that is not the mesh's to resolve get around it.
func TestPolicyOfTLSAndAnotherTarget(t *testing.T) {
	p := secured(newOutsider(t).simple())
	p.Destinations[0].Service = "a"
	w := newWorld(t, client.Config{Traffic: p}, "a:1")
	w.serve("a:1", says("a").server())
	opts := append(clientgrpc.Interceptors(w.c), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(w.dialPlain))
	cc, err := grpc.NewClient("passthrough:///a:1", opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	for _, method := range []string{get, put, feed, push} {
		var e *client.Error
		if r := call(t.Context(), cc, method); !errors.As(r.err, &e) || e.Reason != client.Invalid || status.Code(r.err) != codes.FailedPrecondition {
			t.Errorf("%s: got %v", method, r.err)
		}
	}
}

// Credentials work for the client that they are of, and targets of the mesh.
func TestCredentialsOfAnother(t *testing.T) {
	w, other := newWorld(t, client.Config{}, "a:1"), newWorld(t, client.Config{}, "a:1")
	w.serve("a:1", says("a").server())
	opt := grpc.WithTransportCredentials(clientgrpc.Credentials(other.c))
	if r := call(t.Context(), w.conn(opt), get); r.err == nil || !strings.Contains(r.err.Error(), "another client") {
		t.Errorf("got %v", r.err)
	}
	cc, err := grpc.NewClient("passthrough:///a:1", opt, grpc.WithContextDialer(w.dialPlain))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	if r := call(t.Context(), cc, get); r.err == nil || !strings.Contains(r.err.Error(), "only for endpoints") {
		t.Errorf("got %v", r.err)
	}
	if r := call(t.Context(), w.meshed(), get); r.err != nil || !slices.Equal(r.header["server"], []string{"a"}) {
		t.Errorf("got %v", r.err)
	}
}
