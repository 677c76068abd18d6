package manifest

import (
	"strings"
	"testing"
)

// TestServiceEntryFindings holds the rules of Istio's validation, and what is refused here.
func TestServiceEntryFindings(t *testing.T) {
	const notGiven = "warning spec: location is not given and means MESH_EXTERNAL, which is called without the identities of the mesh"
	const ports = "ports: [{number: 80, name: http, protocol: HTTP}]"
	for spec, want := range map[string]string{
		"{hosts: [a.com], " + ports + "}":                                                                               "",
		"{hosts: [a], " + ports + "}":                                                                                   notGiven,
		"{hosts: [a.com], workloadSelector: {labels: {a: b}}, " + ports + "}":                                           notGiven,
		"{hosts: [a.default.svc.cluster.local], location: MESH_EXTERNAL, " + ports + "}":                                "",
		"{hosts: [], " + ports + "}":                                                                                    "error spec: hosts: at least one is needed",
		"{hosts: ['*'], " + ports + "}":                                                                                 `error spec.hosts[0]: "*" is not a host; name the domain: "*.example.com"`,
		"{hosts: [a b.com], " + ports + "}":                                                                             `error spec.hosts[0]: "a b.com" is not the name of a host`,
		"{hosts: [a.com, a.com], " + ports + "}":                                                                        `error spec.hosts[1]: host "a.com" is there twice`,
		"{hosts: ['*.a.com'], resolution: DNS, " + ports + "}":                                                          "error spec.hosts[0]: a wildcard is not in DNS: give endpoints, or the resolution NONE or DYNAMIC_DNS",
		"{hosts: [a.com], resolution: DYNAMIC_DNS, " + ports + "}":                                                      "error spec.hosts[0]: the resolution DYNAMIC_DNS is for wildcards only",
		"{hosts: [a.com], resolution: STATC, " + ports + "}":                                                            `error spec.resolution: "STATC" is none of NONE, STATIC, DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS, did you mean "STATIC"?`,
		"{hosts: [a.com], resolution: STATIC, " + ports + "}":                                                           "warning spec: has no endpoints, and the resolution is STATIC",
		"{hosts: [a.com]}":                                                                                              "warning spec: has no ports, so that nothing can be called",
		"{hosts: [a.com], " + ports + ", endpoints: [{address: 10.0.0.1}]}":                                             "error spec.endpoints: the resolution NONE has none",
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: b.com}]}":                            `error spec.endpoints[0].address: "b.com" is not an IP address, and the resolution of ServiceEntry/x is STATIC`,
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{network: n}]}":                                "error spec.endpoints[0]: address is needed: an endpoint that only a gateway of its network reaches cannot be called\nwarning spec.endpoints[0].network: has no effect: every address is called directly",
		"{hosts: [a.com], resolution: DNS, " + ports + ", endpoints: [{address: 'unix:///a'}]}":                         "error spec.endpoints[0].address: a unix socket is not in DNS; the resolution of ServiceEntry/x must be STATIC",
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: 'unix://a'}]}":                       `error spec.endpoints[0].address: "unix://a": want unix:// with an absolute path to a socket`,
		"{hosts: [a.com], resolution: DNS_ROUND_ROBIN, " + ports + ", endpoints: [{address: b.com}, {address: c.com}]}": "error spec.endpoints: the resolution DNS_ROUND_ROBIN has at most one",
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: 10.0.0.1, ports: {htp: 81}}]}":       `error spec.endpoints[0].ports["htp"]: unknown port "htp", did you mean "http"?`,
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: 10.0.0.1, ports: {http: 0}}]}":       `error spec.endpoints[0].ports["http"]: 0: want 1 to 65535`,
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: 10.0.0.1}], workloadSelector: {labels: {a: b}}, location: MESH_INTERNAL}": "error spec.workloadSelector: only one of workloadSelector and endpoints can be given",
		"{hosts: [a.com], resolution: STATIC, " + ports + ", workloadSelector: {labels: {a: '*'}}, location: MESH_INTERNAL}":                                 `error spec.workloadSelector.labels["a"]: a selector has no wildcards`,
		"{hosts: [a.com], addresses: [10.0.0.0/8], " + ports + "}":                                                                                           "error spec.addresses[0]: a range of addresses stands for no name that can be called",
		"{hosts: [a.com], addresses: [ten], " + ports + "}":                                                                                                  `error spec.addresses[0]: "ten" is neither an IP address nor a range of them`,
		"{hosts: [a.com], exportTo: ['~'], " + ports + "}":                                                                                                   `error spec.exportTo[0]: "~", exported to nobody, is for resources of an API server: leave the resource out`,
		"{hosts: [a.com], exportTo: [A], " + ports + "}":                                                                                                     `error spec.exportTo[0]: "A" is neither a namespace nor "." nor "*"`,
		"{hosts: [a.com], location: MESH_INTERNAL, subjectAltNames: [b, c], " + ports + "}":                                                                  "error spec.subjectAltNames: an endpoint of the mesh must prove one identity: want a single SPIFFE ID",
		"{hosts: [a.com], ports: [{number: 0, name: a}]}":                                                                                                    "error spec.ports[0].number: 0: want 1 to 65535",
		"{hosts: [a.com], ports: [{number: 80}]}":                                                                                                            "error spec.ports[0]: a port needs a name",
		"{hosts: [a.com], ports: [{number: 80, name: a_b}]}":                                                                                                 `error spec.ports[0].name: "a_b": want letters, digits and "-", at most 63`,
		"{hosts: [a.com], ports: [{number: 80, name: a}, {number: 80, name: b}]}":                                                                            "error spec.ports[1]: its number or name is that of another port",
		"{hosts: [a.com], ports: [{number: 80, name: a, protocol: HTP}]}":                                                                                    `error spec.ports[0].protocol: unknown protocol "HTP", did you mean "HTTP"?`,
		"{hosts: [a.com], ports: [{number: 80, name: a, protocol: UDP}]}":                                                                                    "error spec.ports[0].protocol: only TCP is called",
		"{hosts: [a.com], ports: [{number: -1, name: a}]}":                                                                                                   `error spec.ports[0].number: "-1", which is a number; want a whole number from 0 to 4294967295`,
		"{hosts: [a.com], ports: [{number: 80, name: a, target_port: 1}]}":                                                                                   `error spec.ports[0].target_port: unknown field, did you mean "targetPort"?`,
		"{hosts: [a.com], location: , " + ports + "}":                                                                                                        "warning spec.location: has no value and is taken as not given",
		"{hosts: a.com, " + ports + "}":                                                                                                                      `error spec.hosts: "a.com", which is a text; want a list`,
		"{hosts: [a.com], " + ports + ", " + ports + "}":                                                                                                     `error spec: "ports" is there twice, first in line 4`,
		"{hosts: [a.com], resolution: STATIC, " + ports + ", endpoints: [{address: 10.0.0.1, labels: {version: 1}}]}":                                        `error spec.endpoints[0].labels["version"]: "1", which is a number; want a text, did you mean "\"1\""?`,
	} {
		got := findingsOf(t, Config{}, entryText(spec))
		got = strings.ReplaceAll(got, " 4: ServiceEntry/x:", "")
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", spec, got, want)
		}
	}
}

// TestLenient: what cannot be honoured is left out, and what is wrong stays an error.
func TestLenient(t *testing.T) {
	text := entryText("{hosts: [a.com], addresses: [10.0.0.0/8], nonsense: 1, ports: [{number: 80, name: http}, {number: 53, name: dns, protocol: UDP}]}")
	s, found := Parse(Config{Lenient: true}, map[string]string{"a.yaml": text})
	if s == nil {
		t.Fatal(found.Err())
	}
	if len(found) != 3 {
		t.Errorf("there are %d warnings: %v", len(found), found)
	}
	for _, f := range found {
		if f.Severity != Warning || !strings.Contains(f.Why, "left out") {
			t.Errorf("%v %v", f.Severity, f)
		}
	}
	if got := len(s.services.hosts["a.com"].ports); got != 1 {
		t.Errorf("there are %d ports", got)
	}
	if s, _ := Parse(Config{Lenient: true}, map[string]string{"a.yaml": entryText("{hosts: 1}")}); s != nil {
		t.Error("a wrong value is taken")
	}
}

// TestSeveralOfOneHost: who goes first where two define a host.
func TestSeveralOfOneHost(t *testing.T) {
	entry := func(name, meta, spec string) string {
		return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name + meta + "}\nspec: {hosts: [a.com], resolution: STATIC, " + spec + "}\n---\n"
	}
	const ports = "ports: [{number: 80, name: http}], endpoints: [{address: "
	for name, c := range map[string]struct{ text, want, findings string }{
		"one namespace": {entry("x", "", ports+"10.0.0.1}]") + entry("y", "", ports+"10.0.0.2}]"), "10.0.0.1:80, 10.0.0.2:80", ""},
		"own namespace goes first": {
			entry("x", ", namespace: a", ports+"10.0.0.1}]") + entry("y", "", ports+"10.0.0.2}]"), "10.0.0.2:80",
			"warning 4: ServiceEntry/a/x: spec.hosts[0]: has no effect: ServiceEntry/y defines the host, too, and goes first",
		},
		"the older goes first": {
			entry("x", ", namespace: a, creationTimestamp: 2024-01-02T00:00:00Z", ports+"10.0.0.1}]") +
				entry("y", ", namespace: b, creationTimestamp: \"2024-01-01T00:00:00Z\"", ports+"10.0.0.2}]"), "10.0.0.2:80",
			"warning 4: ServiceEntry/a/x: spec.hosts[0]: has no effect: ServiceEntry/b/y defines the host, too, and goes first",
		},
		"other ports": {
			entry("x", "", ports+"10.0.0.1}]") + entry("y", "", "ports: [{number: 81, name: http}]"), "",
			"warning 9: ServiceEntry/y: spec: has no endpoints, and the resolution is STATIC\n" +
				"error 9: ServiceEntry/y: spec.hosts[0]: ServiceEntry/x defines the host, too, with other ports, resolution or location",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := findingsOf(t, Config{}, c.text); got != c.findings {
				t.Errorf("got\n%s\nwant\n%s", got, c.findings)
			}
			if s, _ := Parse(Config{}, map[string]string{"a.yaml": c.text}); s != nil && show(s.plan("a.com")) != c.want {
				t.Errorf("it is at %s, want %s", show(s.plan("a.com")), c.want)
			}
		})
	}
}
