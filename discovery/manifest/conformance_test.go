package manifest

import (
	"encoding/json"
	"fmt"
	"net"
	"testing"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
)

func TestPlaneConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			f := newFolder(t)
			// So that the folder is never empty, which would be refused.
			f.put("base.yaml", "{apiVersion: v1, kind: Service, metadata: {name: base}, spec: {ports: [{port: 80}]}}")
			for service, endpoints := range content {
				f.put(service+".json", serviceEntries(t, service, endpoints))
			}
			return discoverytest.Registry{
				Source: f.open(),
				Set: func(s string, endpoints []discovery.Endpoint) {
					f.put(s+".json", serviceEntries(t, s, endpoints))
				},
				Remove:  func(s string) { f.remove(s + ".json") },
				Fail:    func() { f.put("bad.yaml", "kind: ["); f.logs.until("are bad") },
				Recover: func() { f.remove("bad.yaml"); f.logs.until("good again") },
			}
		},
	})
}

// serviceEntries writes ServiceEntries for a service: one for each identity, since that is said of all endpoints of one.
func serviceEntries(t *testing.T, service string, endpoints []discovery.Endpoint) string {
	t.Helper()
	byID := map[string][]any{}
	if len(endpoints) == 0 {
		byID[""] = []any{}
	}
	for _, e := range endpoints {
		host, _, err := net.SplitHostPort(e.Addr)
		if err != nil {
			t.Fatal(err)
		}
		x := map[string]any{"address": host}
		if e.Region+e.Zone+e.SubZone != "" {
			x["locality"] = e.Region + "/" + e.Zone + "/" + e.SubZone
		}
		if e.Weight > 0 {
			x["weight"] = e.Weight
		}
		if e.Metadata != nil {
			x["labels"] = e.Metadata
		}
		byID[e.ID] = append(byID[e.ID], x)
	}
	var items []any
	for id, list := range byID {
		spec := map[string]any{
			"hosts": []string{service}, "location": "MESH_INTERNAL", "resolution": "STATIC", "endpoints": list,
			"ports": []any{map[string]any{"number": 8080, "name": "http", "protocol": "HTTP"}},
		}
		if id != "" {
			spec["subjectAltNames"] = []string{id}
		}
		items = append(items, map[string]any{
			"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
			"metadata": map[string]any{"name": fmt.Sprintf("%s-%d", service, len(items))}, "spec": spec,
		})
	}
	data, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
