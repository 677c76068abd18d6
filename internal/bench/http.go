package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

// protocols offers one version of HTTP.
func protocols(h2 bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(!h2)
	p.SetHTTP2(h2)
	return p
}

var echoHandler = http.HandlerFunc(serveEcho)

func serveEcho(w http.ResponseWriter, r *http.Request) {
	var body [256]byte
	n, err := io.ReadFull(r.Body, body[:])
	if !errors.Is(err, io.ErrUnexpectedEOF) || n != len(message) {
		http.Error(w, "not the message", http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body[:n])
}

// serveHTTP starts a server on loopback and says where it listens.
func serveHTTP(r *rig, keys *pki, h2 bool, listeners int, srv *http.Server) ([]string, error) {
	srv.TLSConfig, srv.Protocols = keys.serverTLS(), protocols(h2)
	r.onClose(func() { _ = srv.Close() })
	return listen(listeners, func(l net.Listener) { _ = srv.ServeTLS(l, "", "") }) // it ends with Close
}

// newTransport has as many idle connections as there are callers: with the two that net/http keeps when it is not told
// otherwise, handshakes would be all there is to measure.
func newTransport(r *rig, s setup, h2 bool) *http.Transport {
	tr := &http.Transport{TLSClientConfig: s.pki.clientTLS(), Protocols: protocols(h2), MaxIdleConnsPerHost: s.callers}
	r.onClose(tr.CloseIdleConnections)
	return tr
}

func httpOp(hc *http.Client, url string) op {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(message))
		if err != nil {
			return err
		}
		resp, err := hc.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var body [256]byte
		n, err := io.ReadFull(resp.Body, body[:])
		if !errors.Is(err, io.ErrUnexpectedEOF) || n != len(message) || resp.StatusCode != http.StatusOK {
			return errAnswer
		}
		return nil
	}
}

func (r *rig) callHTTP(s setup, rt http.RoundTripper, url string) {
	hc := &http.Client{Transport: rt}
	for range s.callers {
		r.ops = append(r.ops, httpOp(hc, url))
	}
}
