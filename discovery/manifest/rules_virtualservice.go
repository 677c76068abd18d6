package manifest

const (
	notTCP  = "only HTTP and gRPC are routed: the mesh carries no bare connections"
	forCORS = "is between browsers and the servers that they reach: a gateway or the server's own handler answers it"
	belowNo = "belongs to what is refused"
)

// virtualServiceRules are those for VirtualService.
var virtualServiceRules = rules{
	"VirtualService.hosts":    honoured("short names are of the resource's own namespace; the longest wildcard goes first; of two resources for a host the older one counts, since Istio merges none for callers of the mesh"),
	"VirtualService.gateways": honoured("mesh, or none; a resource for other gateways alone is left out with a warning"),
	"VirtualService.http":     honoured("a request that none matches is answered with 404"),
	"VirtualService.tls":      refused(notTCP),
	"VirtualService.tcp":      refused(notTCP),
	"VirtualService.exportTo": honoured(""),

	"HTTPRoute.name":             honoured("part of the route's name in telemetry and explanations"),
	"HTTPRoute.match":            honoured(""),
	"HTTPRoute.route":            honoured(""),
	"HTTPRoute.redirect":         honoured(""),
	"HTTPRoute.directResponse":   honoured(""),
	"HTTPRoute.delegate":         honoured("one level; a match of the delegate must be within one of the root's"),
	"HTTPRoute.rewrite":          honoured(""),
	"HTTPRoute.timeout":          honoured("none: no limit but the caller's own"),
	"HTTPRoute.retries":          honoured("none: Istio's default, two retries on connect-failure, refused-stream, unavailable and cancelled"),
	"HTTPRoute.fault":            honoured("above retries; the route has neither timeout nor retries then, as Istio documents it"),
	"HTTPRoute.mirror":           honoured(""),
	"HTTPRoute.mirrors":          honoured(""),
	"HTTPRoute.mirrorPercent":    honoured("deprecated: with a warning"),
	"HTTPRoute.mirrorPercentage": honoured("none: 100"),
	"HTTPRoute.corsPolicy":       refused(forCORS),
	"HTTPRoute.headers":          honoured("variables of Envoy, such as %DOWNSTREAM_REMOTE_ADDRESS%, are refused"),

	"HTTPMatchRequest.name":            honoured(""),
	"HTTPMatchRequest.uri":             honoured(""),
	"HTTPMatchRequest.scheme":          honoured("as the caller wrote it; a gRPC call has none"),
	"HTTPMatchRequest.method":          honoured(""),
	"HTTPMatchRequest.authority":       honoured(""),
	"HTTPMatchRequest.headers":         honoured("{} asks whether there is one; the first value counts; claims of a JWT are refused, which only a gateway knows"),
	"HTTPMatchRequest.port":            honoured(""),
	"HTTPMatchRequest.sourceLabels":    honoured("the labels that the client is configured with"),
	"HTTPMatchRequest.gateways":        honoured("a match for other gateways than mesh is left out"),
	"HTTPMatchRequest.queryParams":     honoured(""),
	"HTTPMatchRequest.ignoreUriCase":   honoured("of exact and prefix; a regex ignores case by (?i)"),
	"HTTPMatchRequest.withoutHeaders":  honoured(""),
	"HTTPMatchRequest.sourceNamespace": honoured("the namespace that the plane is opened with"),
	"HTTPMatchRequest.statPrefix":      aside("it names statistics of Envoy; telemetry has the route's name"),

	"StringMatch.exact":  honoured(""),
	"StringMatch.prefix": honoured("not empty"),
	"StringMatch.regex":  honoured("RE2, for the whole text, at most 1024 bytes"),

	"HTTPRouteDestination.destination": honoured(""),
	"HTTPRouteDestination.weight":      honoured("in proportion to the sum; a single destination gets all"),
	"HTTPRouteDestination.headers":     honoured("after the route's"),

	"Destination.host":   honoured(""),
	"Destination.subset": honoured("one that no DestinationRule declares is an error"),
	"Destination.port":   honoured("none: the only port of another service, else the caller's"),

	"PortSelector.number": honoured(""),

	"Headers.request":  honoured(""),
	"Headers.response": honoured(""),

	"Headers.HeaderOperations.set":    honoured("of a request also host and :authority"),
	"Headers.HeaderOperations.add":    honoured("of a request also host and :authority"),
	"Headers.HeaderOperations.remove": honoured(""),

	"HTTPRedirect.uri":           honoured(""),
	"HTTPRedirect.authority":     honoured(""),
	"HTTPRedirect.port":          honoured(""),
	"HTTPRedirect.derivePort":    honoured("FROM_REQUEST_PORT beside a scheme is refused, unless the match names the port"),
	"HTTPRedirect.scheme":        honoured("http and https"),
	"HTTPRedirect.redirectCode":  honoured("301, 302, 303, 307 and 308, as Istio; none: 301"),
	"HTTPRedirect.prefixRewrite": honoured("every match needs a prefix"),

	"HTTPDirectResponse.status": honoured(""),
	"HTTPDirectResponse.body":   honoured("at most 1 MiB"),

	"HTTPBody.string": honoured(""),
	"HTTPBody.bytes":  honoured(""),

	"Delegate.name":      honoured(""),
	"Delegate.namespace": honoured("none: the root's"),

	"HTTPRewrite.uri":             honoured("of a prefix that part, as it stands; of an exact path or a regex all of it"),
	"HTTPRewrite.authority":       honoured(""),
	"HTTPRewrite.uriRegexRewrite": honoured(""),

	"RegexRewrite.match":   honoured("RE2, at most 1024 bytes"),
	"RegexRewrite.rewrite": honoured(""),

	"HTTPRetry.attempts":                 honoured("at most 10; 0 is none"),
	"HTTPRetry.perTryTimeout":            honoured("none: no limit but the call's own"),
	"HTTPRetry.retryOn":                  honoured("retriable-headers and http3-post-connect-failure have no effect, as in Istio, and get a warning"),
	"HTTPRetry.retryRemoteLocalities":    honoured("false; true is refused: a retry goes where a first attempt would, to another endpoint"),
	"HTTPRetry.retryIgnorePreviousHosts": honoured("true; false is refused: endpoints that were tried are avoided while there are others"),
	"HTTPRetry.backoff":                  honoured("the base; up to ten times as long, as in Envoy"),

	"HTTPFaultInjection.delay": honoured(""),
	"HTTPFaultInjection.abort": honoured(""),

	"HTTPFaultInjection.Delay.percent":          honoured("deprecated: with a warning"),
	"HTTPFaultInjection.Delay.fixedDelay":       honoured(""),
	"HTTPFaultInjection.Delay.exponentialDelay": refused("is not supported by Istio either; give a fixedDelay"),
	"HTTPFaultInjection.Delay.percentage":       honoured("none: 0, with a warning"),

	"Percent.value": honoured(""),

	"HTTPFaultInjection.Abort.httpStatus": honoured(""),
	"HTTPFaultInjection.Abort.grpcStatus": honoured("all codes but OK"),
	"HTTPFaultInjection.Abort.http2Error": refused("is not supported by Istio either; give httpStatus or grpcStatus"),
	"HTTPFaultInjection.Abort.percentage": honoured("none: 0, with a warning"),

	"HTTPMirrorPolicy.destination": honoured(""),
	"HTTPMirrorPolicy.percentage":  honoured("none: 100"),

	"CorsPolicy.allowOrigin":         refused(belowNo),
	"CorsPolicy.allowOrigins":        refused(belowNo),
	"CorsPolicy.allowMethods":        refused(belowNo),
	"CorsPolicy.allowHeaders":        refused(belowNo),
	"CorsPolicy.exposeHeaders":       refused(belowNo),
	"CorsPolicy.maxAge":              refused(belowNo),
	"CorsPolicy.allowCredentials":    refused(belowNo),
	"CorsPolicy.unmatchedPreflights": refused(belowNo),

	"TLSRoute.match": refused(notTCP),
	"TLSRoute.route": refused(notTCP),

	"TLSMatchAttributes.sniHosts":           refused(notTCP),
	"TLSMatchAttributes.destinationSubnets": refused(notTCP),
	"TLSMatchAttributes.port":               refused(notTCP),
	"TLSMatchAttributes.sourceLabels":       refused(notTCP),
	"TLSMatchAttributes.gateways":           refused(notTCP),
	"TLSMatchAttributes.sourceNamespace":    refused(notTCP),

	"RouteDestination.destination": refused(notTCP),
	"RouteDestination.weight":      refused(notTCP),

	"TCPRoute.match": refused(notTCP),
	"TCPRoute.route": refused(notTCP),

	"L4MatchAttributes.destinationSubnets": refused(notTCP),
	"L4MatchAttributes.port":               refused(notTCP),
	"L4MatchAttributes.sourceSubnet":       refused(notTCP),
	"L4MatchAttributes.sourceLabels":       refused(notTCP),
	"L4MatchAttributes.gateways":           refused(notTCP),
	"L4MatchAttributes.sourceNamespace":    refused(notTCP),
}
