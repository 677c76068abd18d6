package consul

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
	"github.com/intramesh/intramesh/internal/pkitest"
)

// reaches checks that a Plane with this configuration finds the server, which is an instance of the service "consul", or
// fails with the words.
func reaches(t *testing.T, cfg Config, s *consultest.Server, words string) {
	t.Helper()
	w := listen(t, newPlane(t, cfg), "consul")
	defer w.cancel()
	if words == "" {
		if u := w.next(); u.Kind != discovery.Set || len(u.Endpoints) != 1 || u.Endpoints[0].Addr != s.RaftAddr() {
			t.Errorf("%+v, want the server", u)
		}
	} else if u := w.next(); u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), words) {
		t.Errorf("%+v, want an error with %q", u, words)
	}
}

// pemFiles writes a certificate and its key.
func pemFiles(t *testing.T, dir, name string, c tls.Certificate) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]},
		key:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS reaches a server whose certificate has a name of its own and who wants to see one of its clients'.
func TestTLS(t *testing.T) {
	dir, authorities := t.TempDir(), t.TempDir()
	root := pkitest.Root(t)
	ca, _ := pemFiles(t, authorities, "ca", root.TLS())
	other, _ := pemFiles(t, dir, "other", pkitest.Root(t).TLS())
	serverCert, serverKey := pemFiles(t, dir, "server",
		root.Workload(nil, func(c *x509.Certificate) { c.DNSNames = []string{"consul.test"} }).TLS())
	client := root.Workload(nil).TLS()
	clientCert, clientKey := pemFiles(t, dir, "client", client)
	// The key of an authority lies in its directory too, and is passed over by who reads certificates there.
	if err := os.Remove(filepath.Join(authorities, "ca.key")); err != nil {
		t.Fatal(err)
	}
	s := consultest.Start(t, consultest.Config{HTTPS: map[string]any{
		"ca_file": ca, "cert_file": serverCert, "key_file": serverKey, "verify_incoming": true}})

	trusted, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	good := &tls.Config{RootCAs: roots, ServerName: "consul.test", Certificates: []tls.Certificate{client}, NextProtos: []string{"h2", "http/1.1"}}
	usual := func(changes ...string) map[string]string {
		env := map[string]string{"CONSUL_HTTP_ADDR": "https://" + s.HTTPSAddr(), "CONSUL_CACERT": ca, "CONSUL_CLIENT_CERT": clientCert,
			"CONSUL_CLIENT_KEY": clientKey, "CONSUL_TLS_SERVER_NAME": "consul.test"}
		for i := 0; i < len(changes); i += 2 {
			env[changes[i]] = changes[i+1]
		}
		return env
	}
	for _, c := range []struct {
		name  string
		cfg   Config
		env   map[string]string
		words string
	}{
		{name: "config", cfg: Config{Address: "https://" + s.HTTPSAddr(), TLS: good}},
		{name: "config, no scheme", cfg: Config{Address: s.HTTPSAddr(), TLS: good}},
		{name: "config goes before the environment", cfg: Config{Address: s.HTTPSAddr(), TLS: good},
			env: usual("CONSUL_CACERT", "/nonexistent", "CONSUL_HTTP_ADDR", "unix:///nonexistent")},
		{name: "environment", env: usual()},
		{name: "environment, SSL", env: usual("CONSUL_HTTP_ADDR", s.HTTPSAddr(), "CONSUL_HTTP_SSL", "true")},
		{name: "environment, SSL against http", env: usual("CONSUL_HTTP_ADDR", "http://"+s.HTTPSAddr(), "CONSUL_HTTP_SSL", "1")},
		{name: "environment, directory", env: usual("CONSUL_CACERT", "", "CONSUL_CAPATH", authorities)},
		{name: "environment, unverified", env: usual("CONSUL_CACERT", "", "CONSUL_TLS_SERVER_NAME", "", "CONSUL_HTTP_SSL_VERIFY", "false")},
		{name: "no client certificate", env: usual("CONSUL_CLIENT_CERT", "", "CONSUL_CLIENT_KEY", ""), words: "certificate required"},
		{name: "another authority", env: usual("CONSUL_CACERT", other), words: "unknown authority"},
		{name: "no authority", env: usual("CONSUL_CACERT", ""), words: "unknown authority"},
		{name: "another name", env: usual("CONSUL_TLS_SERVER_NAME", "other.test"), words: "not other.test"},
		{name: "no name", env: usual("CONSUL_TLS_SERVER_NAME", ""), words: "127.0.0.1"},
		{name: "plain", cfg: Config{Address: s.HTTPSAddr()}, words: "HTTP request to an HTTPS server"},
		{name: "TLS where there is none", cfg: Config{Address: s.Addr(), TLS: good}, words: "HTTP response to HTTPS client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			reaches(t, c.cfg, s, c.words)
		})
	}

	if t.Failed() {
		return // who cannot reach the agent would wait for it
	}
	p := newPlane(t, Config{Address: s.HTTPSAddr(), TLS: good})
	leave(t, register(t, p, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}}))
}

// TestUnixSocket reaches an agent at a socket, to find and to register.
func TestUnixSocket(t *testing.T) {
	socket := "unix://" + filepath.Join(t.TempDir(), "http")
	s := consultest.Start(t, consultest.Config{Extra: map[string]any{"addresses": map[string]any{"http": socket + " 127.0.0.1"}}})
	reaches(t, Config{Address: socket}, s, "")
	t.Setenv("CONSUL_HTTP_ADDR", socket)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	reaches(t, Config{}, s, "")
	reaches(t, Config{Address: s.Addr()}, s, "")
	reaches(t, Config{Address: socket + "x"}, s, "no such file")
	leave(t, register(t, newPlane(t, Config{}), discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}}))
}

// TestGateway reaches an agent by way of another server, at a path of its own and for users with a password.
func TestGateway(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	r := record(t, s)
	t.Setenv("CONSUL_HTTP_AUTH", "somebody:secret")
	for _, address := range []string{r.URL + "/gateway", strings.TrimPrefix(r.URL, "http://") + "/gateway"} {
		reaches(t, Config{Address: address}, s, "")
		if e := r.last(t, "/v1/health/service/consul"); e.auth != "Basic c29tZWJvZHk6c2VjcmV0" {
			t.Errorf("authorization %q", e.auth)
		}
	}
	s.Stop()
	reaches(t, Config{Address: r.URL + "/gateway"}, s, "502")
}

// TestNoRedirection checks that nobody is given the token who can answer in the agent's place.
func TestNoRedirection(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection was followed") }))
	defer thief.Close()
	web := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer web.Close()
	reaches(t, Config{Address: web.URL, Token: "secret"}, nil, "307")
}
