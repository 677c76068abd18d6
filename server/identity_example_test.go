package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
)

// A server with an identity lets in who can prove to be web, and the health probe, which has no certificate.
func ExampleNew_identity() {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"}) // or security.NewFiles, without an authority in the process
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	orders, _ := authority.Identity("/orders")
	web, _ := authority.Identity("/web")

	s, err := server.New(server.Config{
		Identity:  orders,
		Authorize: security.AllowID("spiffe://shop/web"),
		Public:    []string{"GET /healthz"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	mux := http.NewServeMux()
	mux.Handle("/healthz", s.ReadyHandler())
	mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		peer, _ := server.PeerFrom(r.Context())
		fmt.Fprintln(w, "hello,", peer)
	})
	url := serveTLS(s, mux) // as srv.ListenAndServeTLS("", "") does

	expect, _ := security.Expect("spiffe://shop/orders")
	member := security.ClientTLS(web, expect, nil)
	probe := &tls.Config{InsecureSkipVerify: true} // a probe knows no trust domain
	fmt.Print(get(member, url+"/orders"))
	fmt.Print(get(probe, url+"/healthz"))
	fmt.Print(get(probe, url+"/orders"))

	// The rules may be replaced at any time.
	if err := s.SetAuthorize(security.AllowID("spiffe://shop/admin")); err != nil {
		log.Fatal(err)
	}
	fmt.Print(get(member, url+"/orders"))
	// Output:
	// 200 hello, spiffe://shop/web
	// 200 ready
	// 401 the caller has not proved who it is
	// 403 the caller may not do this
}

func serveTLS(s *server.Server, h http.Handler) (url string) {
	ts := httptest.NewUnstartedServer(h)
	s.Attach(ts.Config)
	go func() { _ = ts.Config.ServeTLS(ts.Listener, "", "") }()
	return "https://" + ts.Listener.Addr().String()
}

func get(cfg *tls.Config, url string) string {
	hc := http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
	res, err := hc.Get(url)
	if err != nil {
		return err.Error() + "\n"
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}
