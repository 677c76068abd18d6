package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
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
func serveHTTP(r *rig, cfg *tls.Config, h2 bool, listeners int, srv *http.Server) ([]string, error) {
	srv.TLSConfig, srv.Protocols = cfg, protocols(h2)
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

// httpOp calls one URL after the other.
func httpOp(hc *http.Client, urls []string, turn *atomic.Uint32) op {
	return func() error {
		url := urls[0]
		if len(urls) > 1 {
			url = urls[int(turn.Add(1))%len(urls)]
		}
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

func (r *rig) callHTTP(s setup, rt http.RoundTripper, urls []string) {
	hc := &http.Client{Transport: rt}
	turn := new(atomic.Uint32)
	for range s.callers {
		r.ops = append(r.ops, httpOp(hc, urls, turn))
	}
}

func urlsOf(addrs []string) (urls []string) {
	for _, a := range addrs {
		urls = append(urls, "https://"+a+"/")
	}
	return urls
}
