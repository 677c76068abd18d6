package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
)

// newApp is the service behind the edge. It sends its second event when somebody has read the first.
func newApp(read <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-read:
			fmt.Fprint(w, "data: second\n\n")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("GET /echo", echo)
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Checksum")
		_, _ = io.WriteString(w, "the report")
		w.Header().Set("Checksum", "5eb63bbb")
	})
	return mux
}

// echo leaves HTTP, as a WebSocket does, and then sends back each line that it gets.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "echo" {
		http.Error(w, "echo only", http.StatusUpgradeRequired)
		return
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "echo")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for lines := bufio.NewScanner(rw); lines.Scan(); {
		fmt.Fprintf(conn, "echo: %s\n", lines.Text())
	}
}
