package manifest

// Why fields of routes are refused. What is judged is refused where a route is bound to a Service, and of no account in one
// for Gateways alone.
const (
	noSession = "a session would have to stay with its endpoint whatever others come and whatever becomes of weights, " +
		"which nothing here keeps; a consistentHash of a DestinationRule comes near"
	noCORS       = "it is for browsers, which are answered by a gateway"
	noAuth       = "nobody is asked for leave on this side; a server authorizes who calls it"
	noExtension  = "no resource that extends a route is known"
	noBackoff    = "waits are drawn from 0 up to a limit (25 ms, and up to 250 ms), so that none can be at least so long"
	ofGateway    = "has no effect: it is for Gateways, and a route that is bound to a Service takes nothing from it (GEP-1294)"
	firstOfName  = "names make no difference by case; of several conditions on one the first counts"
	inWholeRE2   = "RE2, of the whole text"
	firstOnly    = "of the first value, unescaped"
	likeRule     = "headers of any number of them; URLRewrite, RequestRedirect and RequestMirror where no other backendRef has a weight"
	firstInUnion = "exactly the field of that name is set"
)

// gatewayRules are those for HTTPRoute and GRPCRoute.
var gatewayRules = join(parentRules, backendRules, filterRules, httpRouteRules, grpcRouteRules)

var parentRules = rules{
	"CommonRouteSpec.parentRefs":         honoured("Services; a route for Gateways alone is a warning, and left out"),
	"CommonRouteSpec.useDefaultGateways": warned(ofGateway),

	"ParentReference.group":       honoured(`"" for a Service; empty is not left out: that is for Gateways`),
	"ParentReference.kind":        honoured("Service"),
	"ParentReference.namespace":   honoured("of another namespace: a consumer route, for those who call from the route's own (GEP-1294)"),
	"ParentReference.name":        honoured(""),
	"ParentReference.sectionName": honoured("the name of a port of the Service, which must be among the manifests"),
	"ParentReference.port":        honoured("a call that names no port is one to the usual port of the Service"),
}

var backendRules = rules{
	"BackendObjectReference.group":     honoured(`""`),
	"BackendObjectReference.kind":      honoured("Service"),
	"BackendObjectReference.name":      honoured("a Service that no manifest defines may have endpoints from elsewhere"),
	"BackendObjectReference.namespace": honoured("any; routes of a mesh need no ReferenceGrant (GEP-1294)"),
	"BackendObjectReference.port":      honoured("one that the Service does not have: its share of the requests is answered by 500, over a GRPCRoute UNAVAILABLE"),
	"BackendRef.weight":                honoured("all 0: 500, over a GRPCRoute UNAVAILABLE"),
	"HTTPBackendRef.filters":           honoured(likeRule),
	"GRPCBackendRef.filters":           honoured("headers of any number of them; RequestMirror where no other backendRef has a weight"),
}

var filterRules = rules{
	"HTTPRouteFilter.type":                   honoured(firstInUnion),
	"HTTPRouteFilter.requestHeaderModifier":  honoured(""),
	"HTTPRouteFilter.responseHeaderModifier": honoured(""),
	"HTTPRouteFilter.requestMirror":          honoured("any number; not beside requestRedirect"),
	"HTTPRouteFilter.requestRedirect":        honoured(""),
	"HTTPRouteFilter.urlRewrite":             honoured(""),
	"HTTPRouteFilter.cors":                   judged(noCORS),
	"HTTPRouteFilter.externalAuth":           judged(noAuth),
	"HTTPRouteFilter.extensionRef":           judged(noExtension),

	"GRPCRouteFilter.type":                   honoured(firstInUnion),
	"GRPCRouteFilter.requestHeaderModifier":  honoured(""),
	"GRPCRouteFilter.responseHeaderModifier": honoured("of the header; the trailer stays"),
	"GRPCRouteFilter.requestMirror":          honoured("any number"),
	"GRPCRouteFilter.extensionRef":           judged(noExtension),

	"HTTPHeaderFilter.set":    honoured("not of what the protocol or the mesh itself sets"),
	"HTTPHeaderFilter.add":    honoured("a value of its own beside those that are there"),
	"HTTPHeaderFilter.remove": honoured(""),
	"HTTPHeader.name":         honoured("names make no difference by case; of several in a list the first counts"),
	"HTTPHeader.value":        honoured("of ASCII letters and signs that can be printed, without tabs"),

	"HTTPRequestMirrorFilter.backendRef": honoured("one that is not valid is left out with a warning"),
	"HTTPRequestMirrorFilter.percent":    honoured(""),
	"HTTPRequestMirrorFilter.fraction":   honoured(""),
	"Fraction.numerator":                 honoured(""),
	"Fraction.denominator":               honoured(""),

	"HTTPRequestRedirectFilter.scheme":     honoured(""),
	"HTTPRequestRedirectFilter.hostname":   honoured(""),
	"HTTPRequestRedirectFilter.path":       honoured(""),
	"HTTPRequestRedirectFilter.port":       honoured("not given: the scheme's, and without a scheme that of the request"),
	"HTTPRequestRedirectFilter.statusCode": honoured("301, 302, 303, 307, 308; not given: 302"),

	"HTTPPathModifier.type":               honoured(""),
	"HTTPPathModifier.replaceFullPath":    honoured("escaped, without query"),
	"HTTPPathModifier.replacePrefixMatch": honoured("by whole segments, as the table of the API reference has it"),

	"HTTPURLRewriteFilter.hostname": honoured(""),
	"HTTPURLRewriteFilter.path":     honoured(""),
}

var httpRouteRules = rules{
	"HTTPRouteSpec.hostnames": warned(ofGateway),
	"HTTPRouteSpec.rules":     honoured("a request that none matches is answered by 404"),

	"HTTPRouteRule.name":               honoured("it is in the name of the route of the policy"),
	"HTTPRouteRule.matches":            honoured("exact path, longest prefix, regular expression, prefix \"/\"; then method, headers, queryParams; then the older route"),
	"HTTPRouteRule.filters":            honoured(""),
	"HTTPRouteRule.backendRefs":        honoured("none: 500"),
	"HTTPRouteRule.timeouts":           honoured(""),
	"HTTPRouteRule.retry":              honoured(""),
	"HTTPRouteRule.sessionPersistence": judged(noSession),

	"HTTPRouteMatch.path":        honoured("as it travels, escaped"),
	"HTTPRouteMatch.headers":     honoured(firstOfName),
	"HTTPRouteMatch.queryParams": honoured(""),
	"HTTPRouteMatch.method":      honoured(""),

	"HTTPPathMatch.type":        honoured("RegularExpression: " + inWholeRE2),
	"HTTPPathMatch.value":       honoured(""),
	"HTTPHeaderMatch.type":      honoured("RegularExpression: " + inWholeRE2),
	"HTTPHeaderMatch.name":      honoured("Host is the request's authority"),
	"HTTPHeaderMatch.value":     honoured("of the first value"),
	"HTTPQueryParamMatch.type":  honoured("RegularExpression: " + inWholeRE2),
	"HTTPQueryParamMatch.name":  honoured(""),
	"HTTPQueryParamMatch.value": honoured(firstOnly),

	"HTTPRouteTimeouts.request":        honoured("of the whole call, response body included; 0s: none but the caller's own"),
	"HTTPRouteTimeouts.backendRequest": honoured("with retry that of an attempt, until its response begins; without it that of the whole call"),

	"HTTPRouteRetry.codes":    honoured("beside them what gets no response is retried, for every method"),
	"HTTPRouteRetry.attempts": honoured("1 to 10; not given: 2"),
	"HTTPRouteRetry.backoff":  judged(noBackoff),
}

var grpcRouteRules = rules{
	"GRPCRouteSpec.hostnames": warned(ofGateway),
	"GRPCRouteSpec.rules":     honoured("a call that none matches ends with UNIMPLEMENTED, a request that is not gRPC with 404"),

	"GRPCRouteRule.name":               honoured("it is in the name of the route of the policy"),
	"GRPCRouteRule.matches":            honoured("characters of an exact service, then of an exact method, regular expressions, headers; then the older route"),
	"GRPCRouteRule.filters":            honoured(""),
	"GRPCRouteRule.backendRefs":        honoured("none: UNAVAILABLE"),
	"GRPCRouteRule.sessionPersistence": judged(noSession),

	"GRPCRouteMatch.method":   honoured(""),
	"GRPCRouteMatch.headers":  honoured(firstOfName),
	"GRPCMethodMatch.type":    honoured("RegularExpression: " + inWholeRE2),
	"GRPCMethodMatch.service": honoured(""),
	"GRPCMethodMatch.method":  honoured(""),
	"GRPCHeaderMatch.type":    honoured("RegularExpression: " + inWholeRE2),
	"GRPCHeaderMatch.name":    honoured(""),
	"GRPCHeaderMatch.value":   honoured("of the first value"),
}
