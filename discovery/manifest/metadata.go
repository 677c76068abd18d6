package manifest

import (
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// metadata is what all resources of Kubernetes have.
type metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Created     instant           `json:"creationTimestamp"`

	GenerateName    anything `json:"generateName"`
	UID             anything `json:"uid"`
	ResourceVersion anything `json:"resourceVersion"`
	Generation      anything `json:"generation"`
	SelfLink        anything `json:"selfLink"`
	Deleted         anything `json:"deletionTimestamp"`
	Grace           anything `json:"deletionGracePeriodSeconds"`
	Owners          anything `json:"ownerReferences"`
	Finalizers      anything `json:"finalizers"`
	Managed         anything `json:"managedFields"`
}

const byServer = "the API server's own"

var metadataRules = rules{
	"metadata.name":                       honoured(""),
	"metadata.namespace":                  honoured("empty: the one that the plane is opened with"),
	"metadata.labels":                     honoured("a workloadSelector asks for them"),
	"metadata.annotations":                honoured("networking.istio.io/exportTo of a Service; others are not of concern"),
	"metadata.creationTimestamp":          honoured("the older of two resources goes first"),
	"metadata.generateName":               refused("a file needs the name itself"),
	"metadata.uid":                        aside(byServer),
	"metadata.resourceVersion":            aside(byServer),
	"metadata.generation":                 aside(byServer),
	"metadata.selfLink":                   aside(byServer),
	"metadata.deletionTimestamp":          aside(byServer),
	"metadata.deletionGracePeriodSeconds": aside(byServer),
	"metadata.ownerReferences":            aside(byServer),
	"metadata.finalizers":                 aside(byServer),
	"metadata.managedFields":              aside(byServer),
}

// instant is a time as RFC 3339 has it.
type instant struct{ time.Time }

// instant reads a time, which YAML may have read as one itself.
func (d *decoder) instant(n *yaml.Node) (t time.Time) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!timestamp" || n.Tag == "!!str") {
		if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
			return t
		}
	}
	d.failf(n, "%s; want a time such as \"2026-01-31T12:00:00Z\"", describe(n))
	return t
}

// metadata reads that of an object.
func (d *decoder) metadata(n *yaml.Node, at *place) (m metadata) {
	d.structure(n, reflect.ValueOf(&m).Elem(), at)
	return m
}

// isName says whether a text is a name as Kubernetes takes it (RFC 1123): parts of lower case letters, digits and "-",
// with dots in between, at most 253 bytes.
func isName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if !isLabel(part, 253) {
			return false
		}
	}
	return true
}

// isLabel says whether a text is one part of such a name.
func isLabel(s string, longest int) bool {
	if s == "" || len(s) > longest || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
