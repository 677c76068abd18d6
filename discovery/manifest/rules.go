package manifest

// istioRules are those for the messages of Istio, goRules those for the types of the Gateway API, of Kubernetes and of
// metadata. The tables stand beside what honours the fields: rules_*.go.
var (
	istioRules = join(serviceEntryRules, virtualServiceRules, destinationRuleRules)
	goRules    = join(metadataRules, kubernetesRules, gatewayRules)
)
