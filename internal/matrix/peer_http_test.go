package matrix

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// ServeHTTP is the handler of the HTTP columns. It is plain net/http and knows nothing of the mesh.
func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &sight{
		Method: r.Method + " " + r.RequestURI, Proto: r.Proto, Authority: r.Host, Header: maps.Clone(r.Header),
		Framing: r.TransferEncoding, Length: r.ContentLength, Left: left(r.Context()),
	}
	if r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).EnableFullDuplex() // else net/http reads on before it answers
	}
	switch p.arrive(s) {
	case refusesOnce:
		w.Header().Set("X-Peer", "busy")
		http.Error(w, "busy", http.StatusServiceUnavailable)
	case breaksOnce:
		p.breaks()
	case panics:
		panic("matrix: a handler that panics")
	case silent:
		_, _ = io.Copy(io.Discard, r.Body) // net/http notices that the caller has gone only beyond the body
		<-r.Context().Done()
		p.told()
		time.Sleep(goodbye)
	default:
		p.answerHTTP(w, r, s)
	}
}

// answerHTTP streams: each line of the body is answered at once. Without a body it says hello.
func (p *peer) answerHTTP(w http.ResponseWriter, r *http.Request, s *sight) {
	rc := http.NewResponseController(w)
	h := w.Header()
	h["X-Peer"] = []string{"one", "two"}
	h.Set("Trailer", "X-Sum")
	w.WriteHeader(http.StatusAccepted)
	if p.mode == slow {
		_ = rc.Flush()
	}
	if !p.dawdles(r.Context()) {
		return
	}
	lines := 0
	for in := bufio.NewScanner(r.Body); in.Scan(); lines++ {
		p.hears(s, in.Text())
		_, _ = io.WriteString(w, "got "+in.Text()+"\n")
		_ = rc.Flush()
	}
	if lines == 0 {
		_, _ = io.WriteString(w, "hello\n")
	}
	h.Set("X-Sum", strings.Repeat("i", lines))
}
