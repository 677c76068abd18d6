package manifest

// serviceEntryRules are those for ServiceEntry and WorkloadEntry.
var serviceEntryRules = rules{
	"ServiceEntry.hosts":            refused(later),
	"ServiceEntry.addresses":        refused(later),
	"ServiceEntry.ports":            refused(later),
	"ServiceEntry.location":         refused(later),
	"ServiceEntry.resolution":       refused(later),
	"ServiceEntry.endpoints":        refused(later),
	"ServiceEntry.workloadSelector": refused(later),
	"ServiceEntry.exportTo":         refused(later),
	"ServiceEntry.subjectAltNames":  refused(later),

	"ServicePort.number":     refused(later),
	"ServicePort.protocol":   refused(later),
	"ServicePort.name":       refused(later),
	"ServicePort.targetPort": refused(later),

	"WorkloadEntry.address":        refused(later),
	"WorkloadEntry.ports":          refused(later),
	"WorkloadEntry.labels":         refused(later),
	"WorkloadEntry.network":        refused(later),
	"WorkloadEntry.locality":       refused(later),
	"WorkloadEntry.weight":         refused(later),
	"WorkloadEntry.serviceAccount": refused(later),

	"WorkloadSelector.labels": refused(later),
}
