package memnet_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/intramesh/intramesh/internal/memnet"
)

// TestConn runs the conformance test that the Go project has for implementations of net.Conn.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		var n memnet.Network
		l, err := n.Listen(addr)
		if err != nil {
			return nil, nil, nil, err
		}
		if c1, err = n.DialContext(context.Background(), "tcp", addr); err != nil {
			return nil, nil, nil, err
		}
		c2, err = l.Accept()
		return c1, c2, func() { c1.Close(); c2.Close(); l.Close() }, err
	})
}

// TestHTTP speaks both versions of HTTP inside a bubble, with bodies that are larger than the buffers.
func TestHTTP(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var n memnet.Network
			l, err := n.Listen(addr)
			if err != nil {
				t.Fatal(err)
			}
			p := new(http.Protocols)
			p.SetHTTP1(!h2)
			p.SetUnencryptedHTTP2(h2)
			echo := func(w http.ResponseWriter, r *http.Request) {
				http.NewResponseController(w).EnableFullDuplex()
				io.Copy(w, r.Body)
			}
			srv := &http.Server{Handler: http.HandlerFunc(echo), Protocols: p}
			go srv.Serve(l)
			defer srv.Close()
			tr := &http.Transport{DialContext: n.DialContext, Protocols: p}
			defer tr.CloseIdleConnections()

			body := strings.Repeat("0123456789abcdef", 1<<16)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr, strings.NewReader(body))
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || string(got) != body || (resp.ProtoMajor == 2) != h2 {
				t.Errorf("%s: read %d bytes, %v", resp.Proto, len(got), err)
			}
		})
	}
}
