package clientgrpc

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// silent is a stream whose messages cost nothing.
type silent struct{ grpc.ClientStream }

func (silent) SendMsg(any) error { return nil }
func (silent) RecvMsg(any) error { return nil }

// What the mesh itself costs a message there and one back, beneath which there is nothing.
func BenchmarkMessage(b *testing.B) {
	standard := resilience.Config{Default: resilience.Standard()}
	for name, cfg := range map[string]client.Config{
		"no policy": {},
		"standard":  {Resilience: standard},
		"a route":   {Resilience: standard, Traffic: traffic.Policy{Routes: []traffic.Route{{}}}},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Discovery = discovery.Static{"orders": {{Addr: "a:1"}}}
			cfg.Logger = slog.New(slog.DiscardHandler)
			c, err := client.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			beneath := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, grpc.Streamer, ...grpc.CallOption) (grpc.ClientStream, error) {
				return silent{}, nil
			}
			cc, err := grpc.NewClient("mesh:///orders", append(DialOptions(c),
				grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainStreamInterceptor(beneath))...)
			if err != nil {
				b.Fatal(err)
			}
			defer cc.Close()
			s, err := cc.NewStream(b.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/shop.Orders/Feed")
			if err != nil {
				b.Fatal(err)
			}
			m := new(emptypb.Empty)
			b.ReportAllocs()
			for b.Loop() {
				if s.SendMsg(m) != nil || s.RecvMsg(m) != nil {
					b.Fatal("a message failed")
				}
			}
		})
	}
}
