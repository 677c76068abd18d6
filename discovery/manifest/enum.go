package manifest

// goEnums are the values of types that Go has as strings, by the name of the type. Istio's are in its descriptors.
var goEnums = map[string][]string{
	"PathMatchType":                 {"Exact", "PathPrefix", "RegularExpression"},
	"HeaderMatchType":               {"Exact", "RegularExpression"},
	"QueryParamMatchType":           {"Exact", "RegularExpression"},
	"GRPCHeaderMatchType":           {"Exact", "RegularExpression"},
	"GRPCMethodMatchType":           {"Exact", "RegularExpression"},
	"HTTPMethod":                    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"},
	"HTTPPathModifierType":          {"ReplaceFullPath", "ReplacePrefixMatch"},
	"HTTPRouteExternalAuthProtocol": {"HTTP", "GRPC"},
	"HTTPRouteFilterType": {
		"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "ExtensionRef",
		"CORS", "ExternalAuth",
	},
	"GRPCRouteFilterType":    {"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef"},
	"SessionPersistenceType": {"Cookie", "Header"},
	"CookieLifetimeType":     {"Permanent", "Session"},
	"GatewayDefaultScope":    {"All", "None"},

	"serviceType":     {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"},
	"sessionAffinity": {"None", "ClientIP"},
	"trafficPolicy":   {"Cluster", "Local"},
	"ipProtocol":      {"TCP", "UDP", "SCTP"},
	"ipFamily":        {"IPv4", "IPv6"},
	"addressType":     {"IPv4", "IPv6", "FQDN"},
}
