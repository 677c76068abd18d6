package manifest

// virtualServiceRules are those for VirtualService.
var virtualServiceRules = rules{
	"VirtualService.hosts":    refused(later),
	"VirtualService.gateways": refused(later),
	"VirtualService.http":     refused(later),
	"VirtualService.tls":      refused(later),
	"VirtualService.tcp":      refused(later),
	"VirtualService.exportTo": refused(later),

	"HTTPRoute.name":             refused(later),
	"HTTPRoute.match":            refused(later),
	"HTTPRoute.route":            refused(later),
	"HTTPRoute.redirect":         refused(later),
	"HTTPRoute.directResponse":   refused(later),
	"HTTPRoute.delegate":         refused(later),
	"HTTPRoute.rewrite":          refused(later),
	"HTTPRoute.timeout":          refused(later),
	"HTTPRoute.retries":          refused(later),
	"HTTPRoute.fault":            refused(later),
	"HTTPRoute.mirror":           refused(later),
	"HTTPRoute.mirrors":          refused(later),
	"HTTPRoute.mirrorPercent":    refused(later),
	"HTTPRoute.mirrorPercentage": refused(later),
	"HTTPRoute.corsPolicy":       refused(later),
	"HTTPRoute.headers":          refused(later),

	"HTTPMatchRequest.name":            refused(later),
	"HTTPMatchRequest.uri":             refused(later),
	"HTTPMatchRequest.scheme":          refused(later),
	"HTTPMatchRequest.method":          refused(later),
	"HTTPMatchRequest.authority":       refused(later),
	"HTTPMatchRequest.headers":         refused(later),
	"HTTPMatchRequest.port":            refused(later),
	"HTTPMatchRequest.sourceLabels":    refused(later),
	"HTTPMatchRequest.gateways":        refused(later),
	"HTTPMatchRequest.queryParams":     refused(later),
	"HTTPMatchRequest.ignoreUriCase":   refused(later),
	"HTTPMatchRequest.withoutHeaders":  refused(later),
	"HTTPMatchRequest.sourceNamespace": refused(later),
	"HTTPMatchRequest.statPrefix":      refused(later),

	"StringMatch.exact":  refused(later),
	"StringMatch.prefix": refused(later),
	"StringMatch.regex":  refused(later),

	"HTTPRouteDestination.destination": refused(later),
	"HTTPRouteDestination.weight":      refused(later),
	"HTTPRouteDestination.headers":     refused(later),

	"Destination.host":   refused(later),
	"Destination.subset": refused(later),
	"Destination.port":   refused(later),

	"PortSelector.number": refused(later),

	"Headers.request":  refused(later),
	"Headers.response": refused(later),

	"Headers.HeaderOperations.set":    refused(later),
	"Headers.HeaderOperations.add":    refused(later),
	"Headers.HeaderOperations.remove": refused(later),

	"HTTPRedirect.uri":           refused(later),
	"HTTPRedirect.authority":     refused(later),
	"HTTPRedirect.port":          refused(later),
	"HTTPRedirect.derivePort":    refused(later),
	"HTTPRedirect.scheme":        refused(later),
	"HTTPRedirect.redirectCode":  refused(later),
	"HTTPRedirect.prefixRewrite": refused(later),

	"HTTPDirectResponse.status": refused(later),
	"HTTPDirectResponse.body":   refused(later),

	"HTTPBody.string": refused(later),
	"HTTPBody.bytes":  refused(later),

	"Delegate.name":      refused(later),
	"Delegate.namespace": refused(later),

	"HTTPRewrite.uri":             refused(later),
	"HTTPRewrite.authority":       refused(later),
	"HTTPRewrite.uriRegexRewrite": refused(later),

	"RegexRewrite.match":   refused(later),
	"RegexRewrite.rewrite": refused(later),

	"HTTPRetry.attempts":                 refused(later),
	"HTTPRetry.perTryTimeout":            refused(later),
	"HTTPRetry.retryOn":                  refused(later),
	"HTTPRetry.retryRemoteLocalities":    refused(later),
	"HTTPRetry.retryIgnorePreviousHosts": refused(later),
	"HTTPRetry.backoff":                  refused(later),

	"HTTPFaultInjection.delay": refused(later),
	"HTTPFaultInjection.abort": refused(later),

	"HTTPFaultInjection.Delay.percent":          refused(later),
	"HTTPFaultInjection.Delay.fixedDelay":       refused(later),
	"HTTPFaultInjection.Delay.exponentialDelay": refused(later),
	"HTTPFaultInjection.Delay.percentage":       refused(later),

	"Percent.value": refused(later),

	"HTTPFaultInjection.Abort.httpStatus": refused(later),
	"HTTPFaultInjection.Abort.grpcStatus": refused(later),
	"HTTPFaultInjection.Abort.http2Error": refused(later),
	"HTTPFaultInjection.Abort.percentage": refused(later),

	"HTTPMirrorPolicy.destination": refused(later),
	"HTTPMirrorPolicy.percentage":  refused(later),

	"CorsPolicy.allowOrigin":         refused(later),
	"CorsPolicy.allowOrigins":        refused(later),
	"CorsPolicy.allowMethods":        refused(later),
	"CorsPolicy.allowHeaders":        refused(later),
	"CorsPolicy.exposeHeaders":       refused(later),
	"CorsPolicy.maxAge":              refused(later),
	"CorsPolicy.allowCredentials":    refused(later),
	"CorsPolicy.unmatchedPreflights": refused(later),

	"TLSRoute.match": refused(later),
	"TLSRoute.route": refused(later),

	"TLSMatchAttributes.sniHosts":           refused(later),
	"TLSMatchAttributes.destinationSubnets": refused(later),
	"TLSMatchAttributes.port":               refused(later),
	"TLSMatchAttributes.sourceLabels":       refused(later),
	"TLSMatchAttributes.gateways":           refused(later),
	"TLSMatchAttributes.sourceNamespace":    refused(later),

	"RouteDestination.destination": refused(later),
	"RouteDestination.weight":      refused(later),

	"TCPRoute.match": refused(later),
	"TCPRoute.route": refused(later),

	"L4MatchAttributes.destinationSubnets": refused(later),
	"L4MatchAttributes.port":               refused(later),
	"L4MatchAttributes.sourceSubnet":       refused(later),
	"L4MatchAttributes.sourceLabels":       refused(later),
	"L4MatchAttributes.gateways":           refused(later),
	"L4MatchAttributes.sourceNamespace":    refused(later),
}
