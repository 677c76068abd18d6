package consul

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestConfigIsStrict(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cfg       Config
		env, want string
	}{
		{cfg: Config{Token: "a", TokenFile: "b"}, want: "Token and TokenFile"},
		{cfg: Config{TokenFile: "/nonexistent"}, want: "/nonexistent"},
		{cfg: Config{TokenFile: empty}, want: "it is empty"},
		{cfg: Config{Wait: -1}, want: "Wait"},
		{cfg: Config{Wait: time.Hour}, want: "Wait"},
		{cfg: Config{Services: map[string]Query{"x": {}}}, want: `Services["x"]`},
		{cfg: Config{Address: "ftp://x"}, want: "ftp"},
		{cfg: Config{Address: "unix://"}, want: `field Address: "unix://": want a path`},
		{cfg: Config{Address: "http://"}, want: `field Address: "http://": want host:port`},
		{cfg: Config{Address: "a b:1"}, want: `"a b:1": want host:port`},
		{cfg: Config{Address: ":8500"}, want: "want host:port"},
		{cfg: Config{Address: "consul:8500?dc=dc2"}, want: "no more than a path"},
		{cfg: Config{Address: "http://somebody:secret@consul"}, want: "no more than a path"},
		{cfg: Config{Address: "http://consul:8500", TLS: new(tls.Config)}, want: "field TLS is set"},
		{env: "CONSUL_HTTP_ADDR=ftp://x", want: "CONSUL_HTTP_ADDR"},
		{env: "CONSUL_HTTP_SSL=perhaps", want: "CONSUL_HTTP_SSL"},
		{env: "CONSUL_HTTP_SSL_VERIFY=perhaps", want: "CONSUL_HTTP_SSL_VERIFY"},
		{env: "CONSUL_HTTP_TOKEN_FILE=/nonexistent", want: "/nonexistent"},
		{env: "CONSUL_CACERT=/nonexistent", want: "/nonexistent"},
	} {
		t.Run(c.want, func(t *testing.T) {
			if k, v, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(k, v)
			}
			p, err := New(c.cfg)
			if err == nil {
				p.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "discovery: consul: ") {
				t.Errorf("New returned %v", err)
			}
		})
	}
}

// TestWhatIsSent checks what a question carries.
func TestWhatIsSent(t *testing.T) {
	t.Setenv("CONSUL_HTTP_TOKEN", "from-environment")
	t.Setenv("CONSUL_NAMESPACE", "ns1")
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("from-file\n")
	for _, c := range []struct {
		cfg         Config
		name        string
		token, want string
	}{
		{Config{}, "orders", "from-environment", "/v1/health/service/orders?ns=ns1&wait=60000ms"},
		{Config{Token: "t"}, "orders.dc2", "t", "/v1/health/service/orders?dc=dc2&ns=ns1&wait=60000ms"},
		{Config{TokenFile: file, Stale: true, Cached: true, Namespace: "ns2", Partition: "p", Datacenter: "dc3", Wait: time.Second},
			"v2.orders.service", "from-file", "/v1/health/service/orders?cached=&dc=dc3&ns=ns2&partition=p&stale=&tag=v2&wait=1000ms"},
		{Config{Services: map[string]Query{"x": {Service: "orders", Filter: "a == b", Connect: true}}}, "x", "from-environment",
			"/v1/health/connect/orders?filter=a+%3D%3D+b&ns=ns1&wait=60000ms"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, p := newFake(t, c.cfg)
			heard := make(chan *http.Request, 1)
			f.oddly(func(w http.ResponseWriter, r *http.Request) {
				select {
				case heard <- r:
				default:
				}
				answer(w, 5, "[]")
			})
			l := listen(t, p, c.name)
			r := <-heard
			if got := r.URL.Path + "?" + r.URL.Query().Encode(); got != c.want {
				t.Errorf("%s is asked as\n%s, want\n%s", c.name, got, c.want)
			}
			if got := r.Header.Get("X-Consul-Token"); got != c.token {
				t.Errorf("token %q, want %q", got, c.token)
			}
			l.cancel()
		})
	}
}

// TestConfigGoesBeforeTheEnvironment checks that variables which are not used may be wrong.
func TestConfigGoesBeforeTheEnvironment(t *testing.T) {
	t.Setenv("CONSUL_HTTP_ADDR", "ftp://x")
	t.Setenv("CONSUL_HTTP_TOKEN", "from-environment")
	t.Setenv("CONSUL_HTTP_TOKEN_FILE", "/nonexistent")
	t.Setenv("CONSUL_CACERT", "/nonexistent")
	p := newPlane(t, Config{Address: "localhost:1", Token: "mine", TLS: new(tls.Config)})
	if got := p.token.load(); got != "mine" {
		t.Errorf("token %q", got)
	}
}

// TestTokenFile checks that a new token is used at once, and that a file that is bad changes nothing.
func TestTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	var out logs
	p := newPlane(t, Config{TokenFile: file, Logger: out.logger()})
	steps := []struct{ content, want string }{{"two\n", "two"}, {"", "two"}, {" ", "two"}, {"three", "three"}}
	for _, s := range steps {
		if write(s.content); p.token.load() != s.want {
			t.Errorf("after %q the token is %q", s.content, p.token.load())
		}
	}
	os.Remove(file)
	if p.token.load() != "three" {
		t.Error("without its file the token is gone")
	}
	if n := strings.Count(out.String(), "token file is bad"); n != 2 {
		t.Errorf("two problems were logged %d times", n)
	}
	if strings.Contains(out.String(), "three") {
		t.Error("the log has a token")
	}
}
