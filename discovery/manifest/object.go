package manifest

import "time"

// Object is a resource that was read.
type Object struct {
	// Group and Version are of its apiVersion: "networking.istio.io" and "v1"; the Group of a Service is empty.
	Group, Version string
	// Kind is "VirtualService" and so on.
	Kind string
	// Namespace is its metadata's, or the one of [Config] where it has none.
	Namespace string
	// Name is its metadata's.
	Name string
	// Labels and Annotations are its metadata's.
	Labels, Annotations map[string]string
	// Created is its metadata's creationTimestamp, by which the Gateway API decides between routes. Zero: not given.
	Created time.Time
	// Spec is what it says: *v1alpha3.VirtualService, *v1alpha3.DestinationRule, *v1alpha3.ServiceEntry or
	// *v1alpha3.WorkloadEntry of istio.io/api/networking for all versions, *v1.HTTPRouteSpec or *v1.GRPCRouteSpec of
	// sigs.k8s.io/gateway-api/apis/v1. Of a Service and an EndpointSlice it is a type of this package. It must not be
	// changed.
	Spec any
	// File is the file, and Line the line of its first field.
	File string
	Line int

	label  string // what findings call it
	places place
}

// String is "VirtualService/orders", with the namespace where it is not the default one.
func (o *Object) String() string { return o.label }

// Position is the line and column of a field, as "spec.http[0].match[1].headers[\"x-user\"]"; of one that is not there
// those of the nearest field around it. It is counted from 1.
func (o *Object) Position(field string) (line, column int) {
	p := o.places.find(field)
	return int(p.line), int(p.column)
}

// Finding makes a finding about a field of the object.
func (o *Object) Finding(s Severity, field, why, suggestion string) Finding {
	line, column := o.Position(field)
	return Finding{
		File: o.File, Line: line, Column: column, Object: o.label, Field: field,
		Severity: s, Why: why, Suggestion: suggestion,
	}
}
