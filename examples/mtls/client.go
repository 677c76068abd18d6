package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/security"
)

// caller calls orders, over HTTP and over gRPC.
type caller struct {
	mesh *client.Client
	http *http.Client
	conn *grpc.ClientConn
}

// dial makes a caller with an identity. The two services are one by their identity; they are two names here because they
// listen on two ports.
func dial(id security.Identity, o *orders) (*caller, error) {
	mesh, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: o.httpAddr}}, "orders-rpc": {{Addr: o.rpcAddr}}},
		Identity:  id,
		ServerID:  func(string) string { return "spiffe://shop/orders" }, // whom to expect at the other end
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("mesh:///orders-rpc", clientgrpc.DialOptions(mesh)...)
	if err != nil {
		return nil, errors.Join(err, mesh.Close())
	}
	return &caller{mesh: mesh, http: &http.Client{Transport: mesh.Transport(nil)}, conn: conn}, nil
}

func (c *caller) close() {
	_ = c.conn.Close()
	_ = c.mesh.Close()
}

// overHTTP is the answer in one line; the error is why there is none.
func (c *caller) overHTTP(ctx context.Context) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://orders/orders/k1", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return resp.Status, err
	}
	return fmt.Sprintf("%s, %q", resp.Status, body), err
}

// overGRPC is the same for gRPC.
func (c *caller) overGRPC(ctx context.Context) (string, error) {
	reply, err := shoppb.NewOrdersClient(c.conn).Place(ctx, &shoppb.PlaceRequest{Key: "k1"})
	switch {
	case err == nil:
		return fmt.Sprintf("OK, %q", reply.GetStockReceipt()), nil
	case errors.As(err, new(*client.Error)):
		return "", err // there is no answer
	}
	return status.Code(err).String(), nil
}
