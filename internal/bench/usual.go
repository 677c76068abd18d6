package main

import (
	"net/http"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// usualGRPC is what services have that use no mesh: OpenTelemetry's handlers on both sides, an interceptor that retries,
// round robin. Transport settings are grpc's own.
func usualGRPC(s setup, r *rig, newOp newGRPCOp) error {
	p := newProviders(r, sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share)))
	otel := []otelgrpc.Option{
		otelgrpc.WithTracerProvider(p.traces), otelgrpc.WithMeterProvider(p.metrics),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
	}
	addrs, err := serveGRPC(r, s.pki.serverTLS(), s.endpoints, grpc.StatsHandler(otelgrpc.NewServerHandler(otel...)))
	if err != nil {
		return err
	}
	retries := retry.UnaryClientInterceptor( // streams of both directions it cannot retry
		retry.WithMax(3), retry.WithCodes(codes.Unavailable), retry.WithBackoff(retry.BackoffExponential(25*time.Millisecond)))
	return connectGRPC(r, s, newOp, len(addrs), roundRobinTarget, append(roundRobin(addrs),
		withTLS(s.pki.clientTLS()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otel...)),
		grpc.WithChainUnaryInterceptor(retries),
	)...)
}

// usualHTTP is the same over net/http: otelhttp on both sides, go-retryablehttp, round robin.
func usualHTTP(s setup, r *rig, h2 bool) error {
	p := newProviders(r, sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share)))
	otel := []otelhttp.Option{
		otelhttp.WithTracerProvider(p.traces), otelhttp.WithMeterProvider(p.metrics),
		otelhttp.WithPropagators(propagation.TraceContext{}),
	}
	srv := echoServer()
	srv.Handler = otelhttp.NewHandler(srv.Handler, "echo", otel...)
	addrs, err := serveHTTP(r, s.pki.serverTLS(), h2, s.endpoints, srv)
	if err != nil {
		return err
	}
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient = &http.Client{Transport: otelhttp.NewTransport(newTransport(r, s, h2), otel...)}
	r.callHTTP(s, &retryablehttp.RoundTripper{Client: c}, urlsOf(addrs))
	return nil
}
