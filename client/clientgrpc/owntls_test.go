package clientgrpc_test

import (
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
)

// A policy that secures connections is not passed over where the credentials are the caller's own: nothing is sent.
func TestPolicyOfTLSAndOwnCredentials(t *testing.T) {
	w := newWorld(t, client.Config{Traffic: traffic.Policy{Destinations: []traffic.Destination{{
		Service: "orders", Settings: traffic.Settings{TLS: &traffic.TLS{Mode: traffic.TLSSimple}},
	}}}}, "a:1")
	w.serve("a:1", grpc.NewServer())
	cc, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(w.c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	_, err = healthpb.NewHealthClient(cc).Check(t.Context(), &healthpb.HealthCheckRequest{})
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Invalid || status.Code(err) != codes.FailedPrecondition {
		t.Errorf("got %v", err)
	}
}
