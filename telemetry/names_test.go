package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
)

// TestNamesAreTheConventions holds our constants to the package of the version that we name.
func TestNamesAreTheConventions(t *testing.T) {
	if schemaURL != semconv.SchemaURL {
		t.Errorf("schema %s, want %s", schemaURL, semconv.SchemaURL)
	}
	for ours, theirs := range map[attribute.Key]attribute.Key{
		keyErrorType: semconv.ErrorTypeKey, keyHTTPMethod: semconv.HTTPRequestMethodKey,
		keyHTTPMethodOrig: semconv.HTTPRequestMethodOriginalKey, keyResendCount: semconv.HTTPRequestResendCountKey,
		keyHTTPStatus: semconv.HTTPResponseStatusCodeKey, keyHTTPRoute: semconv.HTTPRouteKey,
		keyPeerAddress: semconv.NetworkPeerAddressKey, keyPeerPort: semconv.NetworkPeerPortKey,
		keyClientAddress: semconv.ClientAddressKey, keyProtoVersion: semconv.NetworkProtocolVersionKey,
		keyRPCMethod: semconv.RPCMethodKey, keyRPCMethodOrig: semconv.RPCMethodOriginalKey,
		keyRPCStatus: semconv.RPCResponseStatusCodeKey, keyRPCSystem: semconv.RPCSystemNameKey,
		keyServerAddress: semconv.ServerAddressKey, keyServerPort: semconv.ServerPortKey,
		keyURLFull: semconv.URLFullKey, keyURLPath: semconv.URLPathKey, keyURLQuery: semconv.URLQueryKey,
		keyURLScheme: semconv.URLSchemeKey, keyUserAgent: semconv.UserAgentOriginalKey,
	} {
		if ours != theirs {
			t.Errorf("%s is not %s", ours, theirs)
		}
	}
	for ours, theirs := range map[string]string{
		"http.client.request.duration": httpconv.ClientRequestDuration{}.Name(),
		"http.server.request.duration": httpconv.ServerRequestDuration{}.Name(),
		"http.client.active_requests":  httpconv.ClientActiveRequests{}.Name(),
		"http.server.active_requests":  httpconv.ServerActiveRequests{}.Name(),
		"rpc.client.call.duration":     rpcconv.ClientCallDuration{}.Name(),
		"rpc.server.call.duration":     rpcconv.ServerCallDuration{}.Name(),
	} {
		if ours != theirs {
			t.Errorf("%s is not %s", ours, theirs)
		}
	}
}

func TestRoute(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "", "/": "/", "GET /orders/{id}": "/orders/{id}", "orders.test/v1/": "/v1/", "GET  orders.test/v1/": "/v1/",
	} {
		if got := route(pattern); got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
}

func TestRedacted(t *testing.T) {
	for in, want := range map[string]string{
		"a=1&b=2":                           "a=1&b=2",
		"https://x/y?a=1&sig=s3cret&b=2#f":  "https://x/y?a=1&sig=REDACTED&b=2#f",
		"X-Goog-Signature=s3cret":           "X-Goog-Signature=REDACTED",
		"Signature=a&AWSAccessKeyId=b&my=1": "Signature=REDACTED&AWSAccessKeyId=REDACTED&my=1",
		"design=1":                          "design=1",
	} {
		if got := redacted(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
