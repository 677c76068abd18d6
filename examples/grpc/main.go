// Command grpc is the smallest useful adoption of the mesh over gRPC: two servers, one client, unary calls and streams,
// a server that refuses and one that dies, neither of which the caller notices. See README.md.
package main

import (
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/resilience"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	a, err := listen("a")
	if err != nil {
		return err
	}
	defer a.Stop()
	b, err := listen("b")
	if err != nil {
		return err
	}
	defer b.Stop()

	// The client side: what is called, where it is, and how calls are kept alive.
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: a.addr}, {Addr: b.addr}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	conn, err := grpc.NewClient("mesh:///orders",
		append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return err
	}
	defer conn.Close()

	s := &show{out: out, orders: shoppb.NewOrdersClient(conn), a: a, b: b}
	return s.run()
}
