package security_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// Two services with certificates of an authority in the process, over plain net/http.
func Example() {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	web, _ := authority.Identity("spiffe://shop/web")
	orders, _ := authority.Identity("spiffe://shop/orders")

	may := security.AllowID("spiffe://shop/web")
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := security.VerifyClient(orders, r.TLS)
		if err == nil {
			err = may.Authorize(&security.Request{Peer: peer, Method: r.Method, Path: r.URL.Path})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "hello %s", peer)
	}))
	srv.Listener = tls.NewListener(srv.Listener, security.ServerTLS(orders, nil)) // StartTLS would add a certificate of its own
	srv.Start()
	defer srv.Close()

	expect, _ := security.Expect("spiffe://shop/orders")
	transport := &http.Transport{TLSClientConfig: security.ClientTLS(web, expect, nil)}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + srv.Listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: hello spiffe://shop/web
}

func ExampleNewFiles() {
	dir, err := os.MkdirTemp("", "identity")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	authority, _ := ca.New(ca.Config{TrustDomain: "shop"})
	svid, _ := authority.Issue("spiffe://shop/web")
	if err := svid.WritePEM(dir); err != nil { // usually somebody else writes them
		log.Fatal(err)
	}

	id, err := security.NewFiles(security.FilesConfig{
		Certificate: dir + "/cert.pem",
		Key:         dir + "/key.pem",
		Bundle:      dir + "/bundle.pem",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer id.Close()
	now, _ := id.Watch()
	fmt.Println(now.ID(), "trusts", now.TrustDomains())
	// Output: spiffe://shop/web trusts [shop]
}

// An identity from wherever the program has a certificate.
func ExampleNewMaterial() {
	authority, _ := ca.New(ca.Config{TrustDomain: "shop"})
	svid, _ := authority.Issue("/web")
	m, err := security.NewMaterial(svid.Certificate, authority.Bundle())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.ID())

	other, _ := ca.New(ca.Config{TrustDomain: "shop"})
	_, err = security.NewMaterial(svid.Certificate, other.Bundle())
	fmt.Println(err != nil)
	// Output:
	// spiffe://shop/web
	// true
}

func ExampleExpect() {
	config, _ := security.Expect("spiffe://shop")
	source, _ := security.Expect("spiffe://shop/orders")
	fmt.Println(config.Narrow(source))
	_, err := security.Expect("orders")
	fmt.Println(err)
	// Output:
	// spiffe://shop/orders
	// security: expected identity: "orders" is not a SPIFFE ID: scheme is missing or invalid
}

func ExampleAny() {
	rule := security.Any(
		security.AllowID("spiffe://shop/web"),
		security.All(security.AllowTrustDomain("shop"), security.AllowMethods("GET /items/*")),
	)
	stock := &security.Peer{ID: spiffeid.RequireFromString("spiffe://shop/stock")}
	fmt.Println(rule.Authorize(&security.Request{Peer: stock, Method: "GET", Path: "/items/7"}))
	err := rule.Authorize(&security.Request{Peer: stock, Method: "PUT", Path: "/items/7"})
	fmt.Println(errors.Is(err, security.ErrDenied), err)
	// Output:
	// <nil>
	// true security: denied by any of (allow id spiffe://shop/web; all of (allow trust domain shop; allow methods GET /items/*))
}

// A mistake is found when the rule is checked, which servers do, and denies until then.
func ExampleCheck() {
	fmt.Println(security.Check(security.AllowID("web")))
	// Output: security: authorize: AllowID: "web" is not a SPIFFE ID: scheme is missing or invalid
}
