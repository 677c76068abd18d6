package manifest

// serviceEntryRules are those for ServiceEntry and WorkloadEntry.
var serviceEntryRules = rules{
	"ServiceEntry.hosts":            honoured("a name without a dot is one of the resource's namespace; \"*.example.com\" is every name below"),
	"ServiceEntry.addresses":        honoured("further names of the service; ranges of addresses are refused"),
	"ServiceEntry.ports":            honoured(""),
	"ServiceEntry.location":         honoured("MESH_EXTERNAL, the default: no identity of the mesh is expected; TLS on ports of HTTPS and TLS, plain text on others"),
	"ServiceEntry.resolution":       honoured(""),
	"ServiceEntry.endpoints":        honoured(""),
	"ServiceEntry.workloadSelector": honoured("WorkloadEntries of the same namespace"),
	"ServiceEntry.exportTo":         honoured(""),
	"ServiceEntry.subjectAltNames": honoured("MESH_EXTERNAL: names of which the certificate must have one; MESH_INTERNAL: a single SPIFFE ID, for " +
		"endpoints without a serviceAccount"),
	"ServiceEntry.resolution=NONE":            honoured("the host is looked up when a connection is made, as the caller would itself"),
	"ServiceEntry.resolution=DNS":             honoured("looked up again and again; every address is an endpoint"),
	"ServiceEntry.resolution=DNS_ROUND_ROBIN": honoured("one endpoint, looked up when a connection is made"),
	"ServiceEntry.resolution=DYNAMIC_DNS":     honoured("the host that was called, looked up when a connection is made"),

	"ServicePort.number":     honoured(""),
	"ServicePort.protocol":   honoured("HTTP2 and GRPC: HTTP/2 without TLS, too; UDP is refused"),
	"ServicePort.name":       honoured(""),
	"ServicePort.targetPort": honoured(""),

	"WorkloadEntry.address":        honoured("an IP address, a host name, or unix:///path"),
	"WorkloadEntry.ports":          honoured("by the names of the service's ports"),
	"WorkloadEntry.labels":         honoured("choose subsets; istio-locality stands in for locality"),
	"WorkloadEntry.network":        warned("has no effect: every address is called directly"),
	"WorkloadEntry.locality":       honoured("region/zone/subzone"),
	"WorkloadEntry.weight":         honoured(""),
	"WorkloadEntry.serviceAccount": honoured("the identity that the endpoint must prove: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT"),

	"WorkloadSelector.labels": honoured(""),
}
