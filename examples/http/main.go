// Command http is the smallest useful adoption of the mesh over HTTP: two servers, one client, and the death of a server
// that the caller does not notice. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "http:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	a, err := listen("a")
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := listen("b")
	if err != nil {
		return err
	}
	defer b.Close()

	// The client side: what is called, where it is, and how calls are kept alive.
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"hello": {{Addr: a.addr}, {Addr: b.addr}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}

	return show(out, hc, a, b)
}

// instance is one server of the service "hello".
type instance struct {
	*http.Server
	name string
	addr string
}

// listen starts an instance on a free port. The server side of the mesh is the two lines about s.
func listen(name string) (*instance, error) {
	s, err := server.New(server.Config{})
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "hello from %s", name)
	})}
	s.Attach(srv)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = srv.Serve(l) }()
	return &instance{Server: srv, name: name, addr: l.Addr().String()}, nil
}

// get calls the service and returns what it said, and what the mesh did.
func get(hc *http.Client) (text string, info client.Info, err error) {
	ctx := client.With(context.Background(), client.Options{Info: &info})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://hello/", nil)
	if err != nil {
		return "", info, err
	}
	resp, err := hc.Do(r)
	if err != nil {
		return "", info, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), info, err
}
