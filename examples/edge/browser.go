package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// browser is a stranger who knows the edge and nothing behind it. It prints what it sees.
type browser struct {
	edge string
	http *http.Client
	out  io.Writer
}

// events reads two server-sent events. The second is sent only after the first was read, so a proxy that collects what
// passes would never end.
func (b *browser) events(read chan<- struct{}) error {
	resp, err := b.http.Get("http://" + b.edge + "/events")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		event, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		fmt.Fprintf(b.out, "event: %s\n", event)
		if event == "first" {
			close(read)
		}
	}
	return nil
}

// upgrade switches to another protocol and talks in both directions.
func (b *browser) upgrade() error {
	r, err := http.NewRequest(http.MethodGet, "http://"+b.edge+"/echo", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := b.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintf(b.out, "upgrade: %s\n", resp.Status)
	conn, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return fmt.Errorf("the answer %s is not a connection", resp.Status)
	}
	lines := bufio.NewReader(conn)
	for _, text := range []string{"one", "two"} {
		fmt.Fprintln(conn, text)
		answer, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "sent %q, got %q\n", text, strings.TrimSpace(answer))
	}
	return nil
}

// trailers reads a header that comes after the body.
func (b *browser) trailers() error {
	resp, err := b.http.Get("http://" + b.edge + "/report")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "body: %s\ntrailer: Checksum: %s\n", body, resp.Trailer.Get("Checksum"))
	return nil
}
