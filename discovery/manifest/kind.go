package manifest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/intramesh/intramesh/internal/nearest"
)

// kind is a kind of resource that is read.
type kind struct {
	group    string
	versions []string // the one to suggest first
	name     string
	fresh    func() any // an empty spec: a proto message, or a pointer to a struct
	flat     bool       // its fields stand beside metadata, not in spec
}

const (
	istioGroup   = "networking.istio.io"
	gatewayGroup = "gateway.networking.k8s.io"
	sliceGroup   = "discovery.k8s.io"
)

var istioVersions = []string{"v1", "v1beta1", "v1alpha3"}

// kinds are all that are read. Istio's versions share their types.
var kinds = []kind{
	{group: istioGroup, versions: istioVersions, name: "VirtualService", fresh: func() any { return new(networking.VirtualService) }},
	{group: istioGroup, versions: istioVersions, name: "DestinationRule", fresh: func() any { return new(networking.DestinationRule) }},
	{group: istioGroup, versions: istioVersions, name: "ServiceEntry", fresh: func() any { return new(networking.ServiceEntry) }},
	{group: istioGroup, versions: istioVersions, name: "WorkloadEntry", fresh: func() any { return new(networking.WorkloadEntry) }},
	{group: gatewayGroup, versions: []string{"v1"}, name: "HTTPRoute", fresh: func() any { return new(gateway.HTTPRouteSpec) }},
	{group: gatewayGroup, versions: []string{"v1"}, name: "GRPCRoute", fresh: func() any { return new(gateway.GRPCRouteSpec) }},
	{group: "", versions: []string{"v1"}, name: "Service", fresh: func() any { return new(serviceSpec) }},
	{group: sliceGroup, versions: []string{"v1"}, name: "EndpointSlice", fresh: func() any { return new(endpointSlice) }, flat: true},
}

// others are well-known kinds that are not read, by group, and why they are not. A document of one is a warning.
var others = map[string]map[string]string{
	"": {
		"ConfigMap": "", "Secret": "", "Namespace": "", "ServiceAccount": "", "Pod": "", "PersistentVolumeClaim": "",
		"PersistentVolume": "", "LimitRange": "", "ResourceQuota": "", "Node": "", "ReplicationController": "",
		"Endpoints": "EndpointSlices take their place",
	},
	"apps":                         {"Deployment": "", "StatefulSet": "", "DaemonSet": "", "ReplicaSet": ""},
	"batch":                        {"Job": "", "CronJob": ""},
	"autoscaling":                  {"HorizontalPodAutoscaler": ""},
	"policy":                       {"PodDisruptionBudget": ""},
	"networking.k8s.io":            {"Ingress": "", "IngressClass": "", "NetworkPolicy": "networks enforce it"},
	"rbac.authorization.k8s.io":    {"Role": "", "RoleBinding": "", "ClusterRole": "", "ClusterRoleBinding": ""},
	"apiextensions.k8s.io":         {"CustomResourceDefinition": ""},
	"admissionregistration.k8s.io": {"ValidatingWebhookConfiguration": "", "MutatingWebhookConfiguration": ""},
	"scheduling.k8s.io":            {"PriorityClass": ""},
	"storage.k8s.io":               {"StorageClass": ""},
	"kustomize.config.k8s.io":      {"Kustomization": "run kustomize and give its output"},
	"cert-manager.io":              {"Certificate": "", "Issuer": "", "ClusterIssuer": ""},
	"monitoring.coreos.com":        {"ServiceMonitor": "", "PodMonitor": "", "PrometheusRule": ""},
	"install.istio.io":             {"IstioOperator": ""},
	istioGroup: {
		"Gateway":       "it is for traffic that enters or leaves a mesh",
		"EnvoyFilter":   "it configures Envoy, which is not there",
		"Sidecar":       "it configures Envoy, which is not there",
		"ProxyConfig":   "it configures Envoy, which is not there",
		"WorkloadGroup": "it is for machines that join a cluster",
	},
	"extensions.istio.io": {"WasmPlugin": "it is loaded by Envoy, which is not there"},
	"telemetry.istio.io":  {"Telemetry": "telemetry is configured in the program"},
	"security.istio.io": {
		"AuthorizationPolicy":   "servers enforce it, and nothing here does",
		"PeerAuthentication":    "servers enforce it, and nothing here does",
		"RequestAuthentication": "servers enforce it, and nothing here does",
	},
	gatewayGroup: {
		"Gateway":          "it is for traffic that enters or leaves a mesh",
		"GatewayClass":     "it is for traffic that enters or leaves a mesh",
		"ListenerSet":      "it is for traffic that enters or leaves a mesh",
		"ReferenceGrant":   "routes that are bound to Services need none (GEP-1294)",
		"TLSRoute":         "only HTTP and gRPC are routed",
		"TCPRoute":         "only HTTP and gRPC are routed",
		"UDPRoute":         "only HTTP and gRPC are routed",
		"BackendTLSPolicy": "",
	},
}

// kindOf finds the kind of a document. Where it is none that is read it says why: as a warning where it is well known.
func kindOf(apiVersion, name string) (k *kind, group, version string, no *Finding) {
	group, version = splitVersion(apiVersion)
	for i := range kinds {
		k := &kinds[i]
		switch {
		case k.group != group || k.name != name:
		case slices.Contains(k.versions, version):
			return k, group, version, nil
		default:
			return nil, group, version, &Finding{
				Field: "apiVersion", Why: fmt.Sprintf("version %q of %s is not known", version, name),
				Suggestion: joinVersion(group, k.versions[0]),
			}
		}
	}
	if why, known := others[group][name]; known {
		text := name + " does not concern this plane and is left out"
		if why != "" {
			text += ": " + why
		}
		return nil, group, version, &Finding{Severity: Warning, Why: text}
	}
	f := unknownKind(apiVersion, group, name)
	return nil, group, version, &f
}

func unknownKind(apiVersion, group, name string) Finding {
	var names, groups []string
	for _, k := range kinds {
		if k.name == name {
			return Finding{
				Field: "apiVersion", Why: fmt.Sprintf("%q has no kind %q", apiVersion, name),
				Suggestion: joinVersion(k.group, k.versions[0]),
			}
		}
		if k.group == group {
			names = append(names, k.name)
		}
		groups = append(groups, k.group)
	}
	if len(names) > 0 {
		for other := range others[group] {
			names = append(names, other)
		}
		return Finding{Field: "kind", Why: fmt.Sprintf("unknown kind %q of %q", name, apiVersion), Suggestion: nearest.Name(name, names)}
	}
	return Finding{
		Field: "apiVersion", Why: fmt.Sprintf("unknown kind %q of %q", name, apiVersion),
		Suggestion: nearest.Name(group, slices.Compact(slices.Sorted(slices.Values(groups)))),
	}
}

func splitVersion(apiVersion string) (group, version string) {
	if i := strings.LastIndexByte(apiVersion, '/'); i >= 0 {
		return apiVersion[:i], apiVersion[i+1:]
	}
	return "", apiVersion
}

func joinVersion(group, version string) string {
	if group == "" {
		return version
	}
	return group + "/" + version
}

// spec reads what a resource says.
func (d *decoder) spec(k *kind, n *yaml.Node, at *place) any {
	into := k.fresh()
	if m, is := into.(proto.Message); is {
		d.message(n, m.ProtoReflect(), at)
	} else {
		d.structure(n, reflect.ValueOf(into).Elem(), at)
	}
	return into
}
