package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// requests are single ones that ask for a fault by the headers that Envoy reads too.
func requests(out io.Writer, oc *orders.Client) error {
	ctx := context.Background()
	fmt.Fprintln(out, "single requests")
	_, err := oc.Get(ctx, "/", "x-envoy-fault-abort-request", "429")
	fmt.Fprintf(out, "  HTTP, abort 429: %v\n", err)
	_, err = oc.Place(ctx, "/", "x-envoy-fault-abort-grpc-request", "8")
	fmt.Fprintf(out, "  gRPC, abort 8: %s\n", status.Code(err))

	const wait = 150 * time.Millisecond
	for _, p := range oc.Protocols() {
		var info client.Info
		began := time.Now()
		by, err := p.Call(client.With(ctx, client.Options{Info: &info}), "/", "x-envoy-fault-delay-request", "150")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s, delay 150 ms: answered by %s; took 150 ms or more: %t; client.Info has the rule %q and the faults %q\n",
			p.Name, by, time.Since(began) >= wait, info.Rule, info.Faults)
	}

	by, err := oc.Get(ctx, "/", "x-case", "broken-bodies")
	fmt.Fprintf(out, "  HTTP, a connection that breaks: %q and then %s\n", by, cause(err))
	by, err = oc.Get(ctx, "/")
	fmt.Fprintf(out, "  HTTP, nothing asked for: %q %v\n", by, err)
	return nil
}

// cause is what a client.Error says of itself.
func cause(err error) string {
	e := new(client.Error)
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("client.Error{Reason: %q, Rule: %q, Faults: %q, Err: %v}", e.Reason, e.Rule, e.Faults, e.Err)
}
