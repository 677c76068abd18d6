// Command edge is a reverse proxy of the standard library whose transport is the mesh, and a look at what passes it:
// events as they happen, an upgraded connection, trailers. See README.md.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "edge:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	read := make(chan struct{})
	app, err := serve(newApp(read))
	if err != nil {
		return err
	}
	defer app.Close()

	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"app": {{Addr: app.Addr}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	edge, err := serve(newEdge(c))
	if err != nil {
		return err
	}
	defer edge.Close()

	browser := &browser{edge: edge.Addr, http: &http.Client{Transport: &http.Transport{}}, out: out}
	defer browser.http.CloseIdleConnections()
	if err := browser.events(read); err != nil {
		return err
	}
	if err := browser.upgrade(); err != nil {
		return err
	}
	return browser.trailers()
}

// newEdge is the whole of the edge: strangers come in over HTTP, and go on to a service of the mesh.
func newEdge(c *client.Client) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "mesh", Host: "app"})
			r.SetXForwarded()
		},
		Transport: c.Transport(nil),
	}
}

// serve starts a server of the mesh on a free port, which its Addr then says.
func serve(h http.Handler) (*http.Server, error) {
	s, err := server.New(server.Config{})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: h, Addr: l.Addr().String()}
	s.Attach(srv)
	go func() { _ = srv.Serve(l) }()
	return srv, nil
}
