package manifest

// gatewayRules are those for HTTPRoute and GRPCRoute.
var gatewayRules = rules{
	"HTTPRouteSpec.hostnames": refused(later),
	"HTTPRouteSpec.rules":     refused(later),

	"CommonRouteSpec.parentRefs":         refused(later),
	"CommonRouteSpec.useDefaultGateways": refused(later),

	"ParentReference.group":       refused(later),
	"ParentReference.kind":        refused(later),
	"ParentReference.namespace":   refused(later),
	"ParentReference.name":        refused(later),
	"ParentReference.sectionName": refused(later),
	"ParentReference.port":        refused(later),

	"HTTPRouteRule.name":               refused(later),
	"HTTPRouteRule.matches":            refused(later),
	"HTTPRouteRule.filters":            refused(later),
	"HTTPRouteRule.backendRefs":        refused(later),
	"HTTPRouteRule.timeouts":           refused(later),
	"HTTPRouteRule.retry":              refused(later),
	"HTTPRouteRule.sessionPersistence": refused(later),

	"HTTPRouteMatch.path":        refused(later),
	"HTTPRouteMatch.headers":     refused(later),
	"HTTPRouteMatch.queryParams": refused(later),
	"HTTPRouteMatch.method":      refused(later),

	"HTTPPathMatch.type":  refused(later),
	"HTTPPathMatch.value": refused(later),

	"HTTPHeaderMatch.type":  refused(later),
	"HTTPHeaderMatch.name":  refused(later),
	"HTTPHeaderMatch.value": refused(later),

	"HTTPQueryParamMatch.type":  refused(later),
	"HTTPQueryParamMatch.name":  refused(later),
	"HTTPQueryParamMatch.value": refused(later),

	"HTTPRouteFilter.type":                   refused(later),
	"HTTPRouteFilter.requestHeaderModifier":  refused(later),
	"HTTPRouteFilter.responseHeaderModifier": refused(later),
	"HTTPRouteFilter.requestMirror":          refused(later),
	"HTTPRouteFilter.requestRedirect":        refused(later),
	"HTTPRouteFilter.urlRewrite":             refused(later),
	"HTTPRouteFilter.cors":                   refused(later),
	"HTTPRouteFilter.externalAuth":           refused(later),
	"HTTPRouteFilter.extensionRef":           refused(later),

	"HTTPHeaderFilter.set":    refused(later),
	"HTTPHeaderFilter.add":    refused(later),
	"HTTPHeaderFilter.remove": refused(later),

	"HTTPHeader.name":  refused(later),
	"HTTPHeader.value": refused(later),

	"HTTPRequestMirrorFilter.backendRef": refused(later),
	"HTTPRequestMirrorFilter.percent":    refused(later),
	"HTTPRequestMirrorFilter.fraction":   refused(later),

	"BackendObjectReference.group":     refused(later),
	"BackendObjectReference.kind":      refused(later),
	"BackendObjectReference.name":      refused(later),
	"BackendObjectReference.namespace": refused(later),
	"BackendObjectReference.port":      refused(later),

	"Fraction.numerator":   refused(later),
	"Fraction.denominator": refused(later),

	"HTTPRequestRedirectFilter.scheme":     refused(later),
	"HTTPRequestRedirectFilter.hostname":   refused(later),
	"HTTPRequestRedirectFilter.path":       refused(later),
	"HTTPRequestRedirectFilter.port":       refused(later),
	"HTTPRequestRedirectFilter.statusCode": refused(later),

	"HTTPPathModifier.type":               refused(later),
	"HTTPPathModifier.replaceFullPath":    refused(later),
	"HTTPPathModifier.replacePrefixMatch": refused(later),

	"HTTPURLRewriteFilter.hostname": refused(later),
	"HTTPURLRewriteFilter.path":     refused(later),

	"HTTPCORSFilter.allowOrigins":     refused(later),
	"HTTPCORSFilter.allowCredentials": refused(later),
	"HTTPCORSFilter.allowMethods":     refused(later),
	"HTTPCORSFilter.allowHeaders":     refused(later),
	"HTTPCORSFilter.exposeHeaders":    refused(later),
	"HTTPCORSFilter.maxAge":           refused(later),

	"HTTPExternalAuthFilter.protocol":    refused(later),
	"HTTPExternalAuthFilter.backendRef":  refused(later),
	"HTTPExternalAuthFilter.grpc":        refused(later),
	"HTTPExternalAuthFilter.http":        refused(later),
	"HTTPExternalAuthFilter.forwardBody": refused(later),

	"GRPCAuthConfig.allowedHeaders": refused(later),

	"HTTPAuthConfig.path":                   refused(later),
	"HTTPAuthConfig.allowedHeaders":         refused(later),
	"HTTPAuthConfig.allowedResponseHeaders": refused(later),

	"ForwardBodyConfig.maxSize": refused(later),

	"LocalObjectReference.group": refused(later),
	"LocalObjectReference.kind":  refused(later),
	"LocalObjectReference.name":  refused(later),

	"HTTPBackendRef.filters": refused(later),

	"BackendRef.weight": refused(later),

	"HTTPRouteTimeouts.request":        refused(later),
	"HTTPRouteTimeouts.backendRequest": refused(later),

	"HTTPRouteRetry.codes":    refused(later),
	"HTTPRouteRetry.attempts": refused(later),
	"HTTPRouteRetry.backoff":  refused(later),

	"SessionPersistence.sessionName":     refused(later),
	"SessionPersistence.absoluteTimeout": refused(later),
	"SessionPersistence.type":            refused(later),
	"SessionPersistence.cookieConfig":    refused(later),

	"CookieConfig.lifetimeType": refused(later),

	"GRPCRouteSpec.hostnames": refused(later),
	"GRPCRouteSpec.rules":     refused(later),

	"GRPCRouteRule.name":               refused(later),
	"GRPCRouteRule.matches":            refused(later),
	"GRPCRouteRule.filters":            refused(later),
	"GRPCRouteRule.backendRefs":        refused(later),
	"GRPCRouteRule.sessionPersistence": refused(later),

	"GRPCRouteMatch.method":  refused(later),
	"GRPCRouteMatch.headers": refused(later),

	"GRPCMethodMatch.type":    refused(later),
	"GRPCMethodMatch.service": refused(later),
	"GRPCMethodMatch.method":  refused(later),

	"GRPCHeaderMatch.type":  refused(later),
	"GRPCHeaderMatch.name":  refused(later),
	"GRPCHeaderMatch.value": refused(later),

	"GRPCRouteFilter.type":                   refused(later),
	"GRPCRouteFilter.requestHeaderModifier":  refused(later),
	"GRPCRouteFilter.responseHeaderModifier": refused(later),
	"GRPCRouteFilter.requestMirror":          refused(later),
	"GRPCRouteFilter.extensionRef":           refused(later),

	"GRPCBackendRef.filters": refused(later),
}
