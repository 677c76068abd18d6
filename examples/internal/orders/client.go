package orders

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
)

// Client calls orders over both protocols.
type Client struct {
	HTTP *http.Client

	conn *grpc.ClientConn
}

// Dial makes a client of the mesh's.
func Dial(c *client.Client) (*Client, error) {
	conn, err := grpc.NewClient("mesh:///orders",
		append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return nil, err
	}
	return &Client{HTTP: &http.Client{Transport: c.Transport(nil)}, conn: conn}, nil
}

// Close ends what is its own; the mesh's client lives on.
func (c *Client) Close() { _ = c.conn.Close() }

// Call is a call over one of the protocols, with headers as names and values in turn. It returns the name of the instance
// that answered.
type Call func(ctx context.Context, path string, headers ...string) (by string, err error)

// Protocols are the ways to call, by name.
func (c *Client) Protocols() []Protocol { return []Protocol{{"HTTP", c.Get}, {"gRPC", c.Place}} }

// Protocol is a way to call.
type Protocol struct {
	Name string
	Call Call
}

// Get calls over HTTP. Any status but 200 is an error. The scheme is http and not mesh, so that cookie jars play along: the
// client knows that orders is a service of the mesh, because its Discovery lists it.
func (c *Client) Get(ctx context.Context, path string, headers ...string) (by string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://orders"+path, nil)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return string(body), err
}

// Place calls over gRPC, where the path is that of the method whatever is given.
func (c *Client) Place(ctx context.Context, _ string, headers ...string) (by string, err error) {
	ctx = metadata.AppendToOutgoingContext(ctx, headers...)
	reply, err := shoppb.NewOrdersClient(c.conn).Place(ctx, &shoppb.PlaceRequest{Key: "k1", Item: 7, Quantity: 1})
	return reply.GetStockReceipt(), err
}
