package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// hello is a server for the examples; its Listener knows the address.
func hello() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s for %s", r.Method, r.URL.Path, r.Host)
	}))
}

func ExampleNew() {
	srv := hello()
	defer srv.Close()
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}
	resp, err := hc.Get("mesh://orders/v1/orders/7")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: GET /v1/orders/7 for orders
}

// The names that are listed are mesh hosts under http as well; every other host goes to the base transport.
func ExampleClient_Transport() {
	srv := hello()
	defer srv.Close()
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(http.DefaultTransport)}
	for _, url := range []string{"http://orders/a", srv.URL + "/b"} {
		resp, err := hc.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(strings.ReplaceAll(string(body), srv.Listener.Addr().String(), "the address"))
	}
	// Output:
	// GET /a for orders
	// GET /b for the address
}

// One line in an existing program: its transport learns the scheme mesh.
func ExampleClient_Transport_registerProtocol() {
	srv := hello()
	defer srv.Close()
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	existing := &http.Transport{}
	existing.RegisterProtocol("mesh", c.Transport(nil))
	resp, err := (&http.Client{Transport: existing}).Get("mesh://orders/x")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleWith() {
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var info client.Info
	ctx := client.With(context.Background(), client.Options{Idempotent: true, Info: &info})
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "mesh://orders/", nil)
	resp, err := (&http.Client{Transport: c.Transport(nil)}).Do(req)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	for _, a := range info.Attempts {
		fmt.Println(a.Status, a.Outcome)
	}
	// Output:
	// 503 failure
	// 503 failure
	// 200 success
}

func ExampleClient_Ready() {
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}}, "empty": nil}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println(c.Ready(context.Background(), "orders"))
	err = c.Ready(context.Background(), "orders", "empty", "nobody")
	fmt.Println(errors.Is(err, discovery.ErrNoEndpoint), errors.Is(err, discovery.ErrUnknownService))
	// Output:
	// <nil>
	// true true
}

func ExampleClient_SetResilience() {
	c, err := client.New(client.Config{Resilience: resilience.Config{Default: resilience.Standard()}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// The switch at 3 a.m.: no retries for one service, the rest as it was.
	calm := resilience.Standard()
	calm.Retry = nil
	err = c.SetResilience(resilience.Config{
		Default:  resilience.Standard(),
		Services: map[string]resilience.Policy{"orders": calm},
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleError() {
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": nil}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_, err = (&http.Client{Transport: c.Transport(nil)}).Get("mesh://orders/") //nolint:bodyclose // there is none
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(e.Service, e.Reason, e.Attempts, errors.Is(err, discovery.ErrNoEndpoint))
	}
	// Output: orders no_endpoint 0 true
}

// shop is a service of somebody who uses the mesh: it calls orders.
type shop struct{ orders *http.Client }

func (s *shop) order(id string) (string, error) {
	resp, err := s.orders.Get("mesh://orders/" + id)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// How to test a service of one's own: what it calls is a server of package httptest, found through Static.
func Example_test() {
	orders := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "a red bicycle")
	}))
	defer orders.Close()
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: orders.Listener.Addr().String()}}}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	s := &shop{orders: &http.Client{Transport: c.Transport(nil)}}
	fmt.Println(s.order("7"))
	// Output: a red bicycle <nil>
}

// Calls with a header go to another version, and the caller learns which.
func ExampleConfig_traffic() {
	v1 := httptest.NewServer(http.NotFoundHandler())
	defer v1.Close()
	v2 := httptest.NewServer(http.NotFoundHandler())
	defer v2.Close()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {
			{Addr: v1.Listener.Addr().String(), Metadata: map[string]string{"version": "v1"}},
			{Addr: v2.Listener.Addr().String(), Metadata: map[string]string{"version": "v2"}},
		}},
		Traffic: traffic.Policy{
			Routes: []traffic.Route{{
				Name: "testers", Match: []traffic.Match{{Headers: []traffic.Field{{Name: "x-tester", Value: traffic.Present()}}}},
				To: []traffic.Backend{{Subset: "v2"}},
			}},
			Destinations: []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{
				{Name: "v2", Labels: map[string]string{"version": "v2"}},
			}}},
		},
	})
	if err != nil {
		panic(err)
	}
	defer c.Close()

	var info client.Info
	ctx := client.With(context.Background(), client.Options{Info: &info})
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://orders/", nil)
	req.Header.Set("X-Tester", "anna")
	resp, err := c.Transport(nil).RoundTrip(req)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(info.Rule, info.Destination, info.Endpoint == v2.Listener.Addr().String())
	// Output: testers orders/v2 true
}
