package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/security"
)

// patience is for machines that are slow; calls to this process take a millisecond.
const patience = time.Minute

// visit calls orders as somebody, over both protocols, and prints what came of it.
func (s *shop) visit(out io.Writer, id security.Identity) error {
	c, err := dial(id, s.orders)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, way := range []struct {
		name string
		call func(context.Context) (string, error)
	}{{"HTTP", c.overHTTP}, {"gRPC", c.overGRPC}} {
		text, err := way.call(ctx)
		switch {
		case noConnection(err):
			text = "no connection"
		case err != nil:
			return err
		}
		fmt.Fprintf(out, "  over %s: %s\n", way.name, text)
	}
	s.orders.refused.print(out)
	return nil
}

// noConnection reports whether a connection could not be made, or was closed before it carried an answer. A client's half
// of a TLS 1.3 handshake is over before the server has judged it, so it may have begun to send. Where it got to read the
// server's alert the error is a security.ErrHandshakeRefused; often all that it sees is the end of the connection.
func noConnection(err error) bool {
	e := new(client.Error)
	return errors.As(err, &e) && (e.Reason == client.ConnectFailed || e.Reason == client.Broken)
}
