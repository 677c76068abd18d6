package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/shop"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/security"
)

// noConnection is the outcome of a call to a server that refused the handshake.
const noConnection = "no connection"

// trespasser is a client of somebody who knows where the services of the shop are.
func trespasser(path string, id security.Identity) (c *client.Client, end func(), err error) {
	file, err := discovery.NewFile(discovery.FileConfig{Path: path})
	if err != nil {
		return nil, nil, err
	}
	c, err = client.New(client.Config{
		Discovery: file, Identity: id, ServerID: shop.IdentityOf, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return c, func() { _, _ = c.Close(), file.Close() }, nil
}

// charge asks payments for money, over gRPC.
func charge(ctx context.Context, c *client.Client) (outcome string, err error) {
	conn, err := shop.Dial(c, "payments")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_, err = shoppb.NewPaymentsClient(conn).Charge(ctx, &shoppb.ChargeRequest{Key: "trespass", Amount: 1})
	if refusedAtTheDoor(err) {
		return noConnection, nil
	}
	return status.Code(err).String(), nil
}

// look asks inventory where an item lies, over HTTP.
func look(ctx context.Context, c *client.Client) (outcome string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://inventory/stock/1", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Transport(nil).RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Status, err
}

// refusedAtTheDoor reports whether there was no connection that could carry an answer. In TLS 1.3 a client's half of the
// handshake is over before the server has judged it, so the connection may seem to be there for a moment.
func refusedAtTheDoor(err error) bool {
	e := new(client.Error)
	return errors.As(err, &e) && (e.Reason == client.ConnectFailed || e.Reason == client.Broken)
}
