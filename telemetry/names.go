package telemetry

import "go.opentelemetry.io/otel/attribute"

// SemConv is the version of the OpenTelemetry semantic conventions that names and values follow. A test compares the
// names here with the package of that version.
const SemConv = "1.43.0"

const (
	scope     = "github.com/intramesh/intramesh/telemetry"
	schemaURL = "https://opentelemetry.io/schemas/" + SemConv
	other     = "_OTHER" // what the conventions call a value outside of the known ones
)

// Attributes of the semantic conventions. They are our own constants, because the package of the conventions has 16,000
// lines that every program would link.
const (
	keyErrorType      = attribute.Key("error.type")
	keyHTTPMethod     = attribute.Key("http.request.method")
	keyHTTPMethodOrig = attribute.Key("http.request.method_original")
	keyResendCount    = attribute.Key("http.request.resend_count")
	keyHTTPStatus     = attribute.Key("http.response.status_code")
	keyHTTPRoute      = attribute.Key("http.route")
	keyPeerAddress    = attribute.Key("network.peer.address")
	keyPeerPort       = attribute.Key("network.peer.port")
	keyClientAddress  = attribute.Key("client.address")
	keyProtoVersion   = attribute.Key("network.protocol.version")
	keyRPCMethod      = attribute.Key("rpc.method")
	keyRPCMethodOrig  = attribute.Key("rpc.method_original")
	keyRPCStatus      = attribute.Key("rpc.response.status_code")
	keyRPCSystem      = attribute.Key("rpc.system.name")
	keyServerAddress  = attribute.Key("server.address")
	keyServerPort     = attribute.Key("server.port")
	keyURLFull        = attribute.Key("url.full")
	keyURLPath        = attribute.Key("url.path")
	keyURLQuery       = attribute.Key("url.query")
	keyURLScheme      = attribute.Key("url.scheme")
	keyUserAgent      = attribute.Key("user_agent.original")
)

// Attributes for which there is no convention.
const (
	keyOutcome  = attribute.Key("intramesh.outcome")     // success, failure, busy, refused, canceled
	keyPeer     = attribute.Key("intramesh.peer")        // the verified identity of the other side
	keyAttempt  = attribute.Key("intramesh.attempt")     // the number of an attempt, from 1
	keyAttempts = attribute.Key("intramesh.attempts")    // how many a call had
	keyReason   = attribute.Key("intramesh.reason")      // why something was refused or changed
	keyState    = attribute.Key("intramesh.state")       // of an endpoint or a breaker
	keyEvent    = attribute.Key("intramesh.event")       // what changed
	keyIdentity = attribute.Key("intramesh.identity")    // whose certificate
	keyConfig   = attribute.Key("intramesh.config")      // which configuration
	keyRule     = attribute.Key("intramesh.route")       // of the client's policy, in spans only
	keySentTo   = attribute.Key("intramesh.destination") // where a route sent a call
	keyFault    = attribute.Key("intramesh.fault")       // what was injected on purpose; several have commas between them
	keyMirror   = attribute.Key("intramesh.mirror")      // true for the copy of a call
	keyEndpoint = attribute.Key("intramesh.endpoint")    // an endpoint's address, in spans only
)

// knownMethod is the HTTP method as an attribute may have it: those of RFC 9110, PATCH and QUERY, as the conventions say.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY":
		return m
	}
	return other
}
