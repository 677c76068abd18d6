package manifest

// serviceSpec is what a Service of Kubernetes says, as far as it concerns who calls.
type serviceSpec struct {
	Type         serviceType   `json:"type"`
	Ports        []servicePort `json:"ports"`
	ExternalName string        `json:"externalName"`

	Selector                      map[string]string `json:"selector"`
	ClusterIP                     anything          `json:"clusterIP"`
	ClusterIPs                    anything          `json:"clusterIPs"`
	ExternalIPs                   anything          `json:"externalIPs"`
	SessionAffinity               sessionAffinity   `json:"sessionAffinity"`
	SessionAffinityConfig         anything          `json:"sessionAffinityConfig"`
	LoadBalancerIP                anything          `json:"loadBalancerIP"`
	LoadBalancerSourceRanges      anything          `json:"loadBalancerSourceRanges"`
	LoadBalancerClass             anything          `json:"loadBalancerClass"`
	AllocateLoadBalancerNodePorts anything          `json:"allocateLoadBalancerNodePorts"`
	ExternalTrafficPolicy         anything          `json:"externalTrafficPolicy"`
	InternalTrafficPolicy         trafficPolicy     `json:"internalTrafficPolicy"`
	TrafficDistribution           anything          `json:"trafficDistribution"`
	HealthCheckNodePort           anything          `json:"healthCheckNodePort"`
	PublishNotReadyAddresses      anything          `json:"publishNotReadyAddresses"`
	IPFamilies                    []ipFamily        `json:"ipFamilies"`
	IPFamilyPolicy                anything          `json:"ipFamilyPolicy"`
}

// servicePort is a port of a Service.
type servicePort struct {
	Name        string     `json:"name"`
	Protocol    ipProtocol `json:"protocol"`
	AppProtocol string     `json:"appProtocol"`
	Port        int32      `json:"port"`
	TargetPort  portRef    `json:"targetPort"`
	NodePort    anything   `json:"nodePort"`
}

// endpointSlice is a part of the endpoints of a Service, which its label kubernetes.io/service-name names.
type endpointSlice struct {
	AddressType addressType     `json:"addressType"`
	Ports       []endpointPort  `json:"ports"`
	Endpoints   []sliceEndpoint `json:"endpoints"`
}

// endpointPort is a port of all endpoints of a slice. It belongs to the port of the Service that has its name.
type endpointPort struct {
	Name        string     `json:"name"`
	Protocol    ipProtocol `json:"protocol"`
	AppProtocol string     `json:"appProtocol"`
	Port        *int32     `json:"port"`
}

// sliceEndpoint is an endpoint of a slice.
type sliceEndpoint struct {
	Addresses          []string           `json:"addresses"`
	Conditions         endpointConditions `json:"conditions"`
	Hostname           anything           `json:"hostname"`
	TargetRef          anything           `json:"targetRef"`
	DeprecatedTopology map[string]string  `json:"deprecatedTopology"`
	NodeName           anything           `json:"nodeName"`
	Zone               string             `json:"zone"`
	Hints              anything           `json:"hints"`
}

// endpointConditions say whether an endpoint is to be called. What is nil is as the API documents it: ready, and not
// terminating.
type endpointConditions struct {
	Ready       *bool `json:"ready"`
	Serving     *bool `json:"serving"`
	Terminating *bool `json:"terminating"`
}

// Texts that have few values, see [goEnums].
type (
	serviceType     string
	sessionAffinity string
	trafficPolicy   string
	ipProtocol      string
	ipFamily        string
	addressType     string
)

// portRef is the number of a port, or its name.
type portRef string

const (
	byCluster = "the cluster's matter: who calls goes to the endpoints themselves"
)

var kubernetesRules = rules{
	"serviceSpec.type":         honoured("ExternalName; the other types are alike to who calls"),
	"serviceSpec.ports":        honoured(""),
	"serviceSpec.externalName": honoured("looked up in DNS"),
	"serviceSpec.selector":     honoured("WorkloadEntries of the same namespace, as in Istio; of pods EndpointSlices tell"),
	"serviceSpec.clusterIP":    aside(byCluster), "serviceSpec.clusterIPs": aside(byCluster),
	"serviceSpec.externalIPs": aside(byCluster), "serviceSpec.loadBalancerIP": aside(byCluster),
	"serviceSpec.loadBalancerSourceRanges":      aside(byCluster),
	"serviceSpec.loadBalancerClass":             aside(byCluster),
	"serviceSpec.allocateLoadBalancerNodePorts": aside(byCluster),
	"serviceSpec.externalTrafficPolicy":         aside(byCluster),
	"serviceSpec.healthCheckNodePort":           aside(byCluster),
	"serviceSpec.ipFamilies":                    honoured("the first one, where there are EndpointSlices of both"),
	"serviceSpec.ipFamilyPolicy":                aside(byCluster),
	"serviceSpec.publishNotReadyAddresses":      aside("EndpointSlices say who is ready"),
	"serviceSpec.sessionAffinity":               honoured("None; ClientIP is refused: the consistentHash of a DestinationRule takes its place"),
	"serviceSpec.sessionAffinityConfig":         refused("the consistentHash of a DestinationRule takes its place"),
	"serviceSpec.internalTrafficPolicy":         honoured("Cluster; Local is refused: a process does not know its node"),
	"serviceSpec.trafficDistribution":           warned("has no effect: the localityLbSetting of a DestinationRule takes its place"),
	"servicePort.name":                          honoured("finds the ports of EndpointSlices, and names the protocol as Istio has it: \"http-web\""),
	"servicePort.protocol":                      honoured("TCP"),
	"servicePort.appProtocol":                   honoured("goes before the name"),
	"servicePort.port":                          honoured(""),
	"servicePort.targetPort":                    honoured("for WorkloadEntries; for pods EndpointSlices say it"),
	"servicePort.nodePort":                      aside(byCluster),

	"endpointSlice.addressType":        honoured("IPv4, IPv6 and FQDN"),
	"endpointSlice.ports":              honoured(""),
	"endpointSlice.endpoints":          honoured(""),
	"endpointPort.name":                honoured(""),
	"endpointPort.protocol":            honoured("TCP"),
	"endpointPort.appProtocol":         aside("the Service's counts"),
	"endpointPort.port":                honoured(""),
	"sliceEndpoint.addresses":          honoured("the first one, as the API documents it"),
	"sliceEndpoint.conditions":         honoured(""),
	"sliceEndpoint.hostname":           aside("the name of a single endpoint"),
	"sliceEndpoint.targetRef":          aside("the pod behind the endpoint"),
	"sliceEndpoint.deprecatedTopology": honoured("topology.kubernetes.io/region and zone"),
	"sliceEndpoint.nodeName":           aside("a process does not know its node"),
	"sliceEndpoint.zone":               honoured(""),
	"sliceEndpoint.hints":              warned("have no effect: the localityLbSetting of a DestinationRule takes their place"),
	"endpointConditions.ready":         honoured("those that are not are left out"),
	"endpointConditions.serving":       honoured("where no endpoint is ready, those that serve until they end are taken"),
	"endpointConditions.terminating":   honoured("where no endpoint is ready, those that serve until they end are taken"),
}
