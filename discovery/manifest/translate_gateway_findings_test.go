package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// ruleFindings are those of an HTTPRoute whose only rule is text, in line 7.
func ruleFindings(t *testing.T, cfg Config, kind, text string) string {
	t.Helper()
	head := "apiVersion: gateway.networking.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: r}\nspec:\n" +
		"  parentRefs: [{group: \"\", kind: Service, name: orders}]\n  rules:\n  - "
	label := " 7: " + kind + "/r: spec.rules[0]"
	return strings.ReplaceAll(findingsOf(t, cfg, head+text+"\n"), label, "")
}

const oneBackend = "backendRefs: [{name: a, port: 80}]"

// TestGatewayRuleFindings holds the bounds, patterns and rules (CEL) of the definitions of HTTPRoute, and what is refused.
func TestGatewayRuleFindings(t *testing.T) {
	many := func(n int, item string) string { return "[" + strings.Repeat(item+", ", n-1) + item + "]" }
	for text, want := range map[string]string{
		"{" + oneBackend + "}": "",
		// Matches.
		"{matches: [{path: {type: Exact, value: a}}], " + oneBackend + "}":                                                          `error.matches[0].path.value: "a" does not begin with "/"`,
		"{matches: [{path: {value: /a//b}}], " + oneBackend + "}":                                                                   `error.matches[0].path.value: "/a//b" has "//" in it`,
		"{matches: [{path: {value: /a/./b}}], " + oneBackend + "}":                                                                  `error.matches[0].path.value: "/a/./b" has "/./" in it`,
		"{matches: [{path: {value: /a/../b}}], " + oneBackend + "}":                                                                 `error.matches[0].path.value: "/a/../b" has "/../" in it`,
		"{matches: [{path: {value: /a%2fb}}], " + oneBackend + "}":                                                                  `error.matches[0].path.value: "/a%2fb" has "%2f" in it`,
		"{matches: [{path: {value: /a%2Fb}}], " + oneBackend + "}":                                                                  `error.matches[0].path.value: "/a%2Fb" has "%2F" in it`,
		"{matches: [{path: {value: '/a#b'}}], " + oneBackend + "}":                                                                  `error.matches[0].path.value: "/a#b" has "#" in it`,
		"{matches: [{path: {value: /a/..}}], " + oneBackend + "}":                                                                   `error.matches[0].path.value: "/a/.." ends in "/.."`,
		"{matches: [{path: {value: /a/.}}], " + oneBackend + "}":                                                                    `error.matches[0].path.value: "/a/." ends in "/."`,
		"{matches: [{path: {value: '/a?b'}}], " + oneBackend + "}":                                                                  `error.matches[0].path.value: "/a?b": a path is escaped, and has no query`,
		"{matches: [{path: {type: RegularExpression, value: '['}}], " + oneBackend + "}":                                            "error.matches[0].path.value: regex \"[\": missing closing ]",
		"{matches: [{path: {type: Prefix, value: /}}], " + oneBackend + "}":                                                         "error.matches[0].path.type: \"Prefix\" is none of Exact, PathPrefix, RegularExpression, did you mean \"PathPrefix\"?",
		"{matches: [{path: {value: /" + strings.Repeat("a", 1024) + "}}], " + oneBackend + "}":                                      "error.matches[0].path.value: 1025 characters; at most 1024",
		"{matches: [{method: get}], " + oneBackend + "}":                                                                            `error.matches[0].method: "get" is none of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, did you mean "GET"?`,
		"{matches: [{headers: [{name: 'a b', value: c}]}], " + oneBackend + "}":                                                     `error.matches[0].headers[0].name: "a b" cannot be a name`,
		"{matches: [{headers: [{name: a}]}], " + oneBackend + "}":                                                                   "error.matches[0].headers[0].value: must not be empty",
		"{matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}], " + oneBackend + "}":                                    `error.matches[0].headers[1].name: "a" is there twice`,
		"{matches: [{headers: [{name: a, value: b}, {name: A, value: c}]}], " + oneBackend + "}":                                    `warning.matches[0].headers[1].name: the same header as "a", of which the first counts; this has no effect`,
		"{matches: [{queryParams: [{name: a, value: b}, {name: a, value: c}]}], " + oneBackend + "}":                                `error.matches[0].queryParams[1].name: "a" is there twice`,
		"{matches: [{headers: " + many(17, "{name: a%d, value: b}") + "}], " + oneBackend + "}":                                     "error.matches[0].headers: 17 entries; at most 16",
		"{matches: " + many(65, "{path: {value: /a}}") + ", " + oneBackend + "}":                                                    "error.matches: 65 entries; at most 64",
		"{name: Upper, " + oneBackend + "}":                                                                                         `error.name: "Upper": want lower case letters, digits, "-" and "."`,
		"{matches: [{path: {value: /a}}, {path: {value: /a}}], " + oneBackend + "}":                                                 "",
		"{matches: [{queryParams: [{name: a, value: b, type: RegularExpression}]}], " + oneBackend + "}":                            "",
		"{matches: [{headers: [{name: ':path', value: b}]}], " + oneBackend + "}":                                                   `error.matches[0].headers[0].name: ":path" cannot be a name`,
		"{matches: [{headers: [{name: a, value: '(', type: RegularExpression}]}], " + oneBackend + "}":                              `error.matches[0].headers[0].value: regex "(": missing closing )`,
		"{backendRefs: " + many(17, "{name: a, port: 80}") + "}":                                                                    "error.backendRefs: 17 entries; at most 16",
		"{filters: " + many(17, "{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}}}") + ", " + oneBackend + "}": "error.filters: 17 entries; at most 16",
		// Filters.
		"{filters: [{}], " + oneBackend + "}":                                                                                                                                      "error.filters[0]: no type",
		"{filters: [{type: URLRewrite}], " + oneBackend + "}":                                                                                                                      "error.filters[0]: a filter of the type URLRewrite needs urlRewrite",
		"{filters: [{type: URLRewrite, urlRewrite: {hostname: a}, requestRedirect: {}}], " + oneBackend + "}":                                                                      "error.filters[0].requestRedirect: is for filters of the type RequestRedirect, and this is one of URLRewrite",
		"{filters: " + many(2, "{type: URLRewrite, urlRewrite: {hostname: a}}") + ", " + oneBackend + "}":                                                                          "error.filters[1]: there is another filter of the type URLRewrite",
		"{filters: [{type: URLRewrite, urlRewrite: {hostname: a}}, {type: RequestRedirect, requestRedirect: {port: 1}}]}":                                                          "error.filters: RequestRedirect and URLRewrite cannot be used together",
		"{filters: [{type: RequestRedirect, requestRedirect: {port: 1}}], " + oneBackend + "}":                                                                                     "error.backendRefs: a rule that redirects has no backendRefs",
		"{filters: [{type: RequestRedirect, requestRedirect: {}}]}":                                                                                                                "error.filters[0].requestRedirect: changes nothing, so that it leads to itself",
		"{filters: [{type: RequestRedirect, requestRedirect: {port: 1, statusCode: 300}}]}":                                                                                        "error.filters[0].requestRedirect.statusCode: 300: want 301, 302, 303, 307 or 308",
		"{filters: [{type: RequestRedirect, requestRedirect: {scheme: ftp}}]}":                                                                                                     `error.filters[0].requestRedirect.scheme: "ftp": want http or https`,
		"{filters: [{type: RequestRedirect, requestRedirect: {port: 65536}}]}":                                                                                                     "error.filters[0].requestRedirect.port: 65536: want 1 to 65535",
		"{filters: [{type: URLRewrite, urlRewrite: {hostname: 'a:80'}}], " + oneBackend + "}":                                                                                      `error.filters[0].urlRewrite.hostname: "a:80" is not the name of a host, without a port`,
		"{filters: [{type: URLRewrite, urlRewrite: {}}], " + oneBackend + "}":                                                                                                      "warning.filters[0].urlRewrite: changes nothing",
		"{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath}}}], " + oneBackend + "}":                                                                         "error.filters[0].urlRewrite.path: the type ReplaceFullPath needs replaceFullPath",
		"{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}], matches: [{path: {type: Exact, value: /a}}], " + oneBackend + "}": "error.filters[0].urlRewrite.path.replacePrefixMatch: needs a rule with exactly one match, whose path is a PathPrefix",
		"{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], add: [{name: A, value: b}]}}], " + oneBackend + "}":                          `error.filters[0].requestHeaderModifier.add[0].name: "A" is in set, too; only one action for a header is permitted`,
		"{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: b}]}}], " + oneBackend + "}":                                                   "error.filters[0].requestHeaderModifier.set[0].name: the Host is changed by the hostname of a URLRewrite",
		"{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a, a]}}], " + oneBackend + "}":                                                                `error.filters[0].responseHeaderModifier.remove[1]: "a" is there twice`,
		"{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, percent: 1, fraction: {numerator: 1}}}], " + oneBackend + "}":                            "error.filters[0].requestMirror: only one of percent and fraction can be given",
		"{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, percent: 101}}], " + oneBackend + "}":                                                    "error.filters[0].requestMirror.percent: 101: want 0 to 100",
		"{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, fraction: {numerator: 2, denominator: 1}}}], " + oneBackend + "}":                        "error.filters[0].requestMirror.fraction: 2 of 1: want 0 to all of it",
		"{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a}}}], " + oneBackend + "}":                                                                           "error.filters[0].requestMirror.backendRef: no port, which a Service needs",
		// Backends.
		"{}":                          "warning: no backendRefs: every request is answered by 500",
		"{backendRefs: [{name: a}]}":  "error.backendRefs[0]: no port, which a Service needs",
		"{backendRefs: [{port: 80}]}": "error.backendRefs[0].name: no name",
		"{backendRefs: [{name: a, port: 80, weight: -1}]}":            "error.backendRefs[0].weight: -1: want 0 to 1000000",
		"{backendRefs: [{name: a, port: 80, weight: 1000001}]}":       "error.backendRefs[0].weight: 1000001: want 0 to 1000000",
		"{backendRefs: [{name: a, port: 0}]}":                         "error.backendRefs[0].port: 0: want 1 to 65535",
		"{backendRefs: [{name: a, group: core, port: 80}]}":           `error.backendRefs[0].group: there is no Service in the group "core"; want ""`,
		"{backendRefs: [{name: a, group: m.x, kind: ServiceImport}]}": "error.backendRefs[0]: \"m.x/ServiceImport\" cannot be a backend here; only a Service can",
		"{backendRefs: [{name: a, namespace: A, port: 80}]}":          `error.backendRefs[0].namespace: "A": want lower case letters, digits and "-"`,
		"{backendRefs: [{nmae: a, port: 80}]}":                        `error.backendRefs[0].nmae: unknown field, did you mean "name"?`,
		// Timeouts and retries.
		"{timeouts: {request: 1s, backendRequest: 2s}, " + oneBackend + "}": "error.timeouts.backendRequest: 2s is longer than request, which is 1s",
		"{timeouts: {request: 0s, backendRequest: 2s}, " + oneBackend + "}": "",
		"{timeouts: {request: 1.5s}, " + oneBackend + "}":                   `error.timeouts.request: "1.5s"; want up to four numbers with units: "1h30m", "5s", "250ms"`,
		"{timeouts: {request: 99999h}, " + oneBackend + "}":                 "error.timeouts: longer than a year",
		"{retry: {codes: [399]}, " + oneBackend + "}":                       "error.retry.codes[0]: 399: want 400 to 599",
		"{retry: {codes: [500, 500]}, " + oneBackend + "}":                  "error.retry.codes[1]: 500 is there twice",
		"{retry: {attempts: 0}, " + oneBackend + "}":                        "error.retry.attempts: 0: want at least 1",
		"{retry: {attempts: 11}, " + oneBackend + "}":                       "error.retry.attempts: 11: at most 10 are supported",
		"{timeouts: {'': 1s}, " + oneBackend + "}":                          `error.timeouts[""]: unknown field`,
		// What is refused.
		"{retry: {backoff: 100ms}, " + oneBackend + "}":                                                                                             "error.retry.backoff: " + noBackoff,
		"{sessionPersistence: {sessionName: a}, " + oneBackend + "}":                                                                                "error.sessionPersistence: " + noSession,
		"{filters: [{type: CORS, cors: {allowOrigins: ['*']}}], " + oneBackend + "}":                                                                "error.filters[0].cors: " + noCORS,
		"{filters: [{type: ExternalAuth, externalAuth: {protocol: GRPC}}], " + oneBackend + "}":                                                     "error.filters[0].externalAuth: " + noAuth,
		"{filters: [{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}], " + oneBackend + "}":                                       "error.filters[0].extensionRef: " + noExtension,
		"{filters: [{type: RequestRedirect, requestRedirect: {port: 1}}, {type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}}}]}":  "error.filters: requests that are redirected cannot be mirrored",
		"{filters: [{type: RequestRedirect, requestRedirect: {port: 1}}], timeouts: {request: 1s}}":                                                 "warning: timeouts and retry have no effect on requests that are redirected",
		"{backendRefs: [{name: a, port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: a}}]}, {name: b, port: 80}]}":                       "error.backendRefs[0].filters: URLRewrite, RequestRedirect and RequestMirror are supported for all backends of a rule, or where no other backendRef has a weight",
		"{backendRefs: [{name: a, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]}, {name: a, port: 80}]}": "error.backendRefs[1]: goes where another backendRef does, with other filters",
	} {
		n := 0
		for strings.Contains(text, "%d") {
			text = strings.Replace(text, "%d", fmt.Sprint(n), 1)
			n++
		}
		if got := ruleFindings(t, Config{}, "HTTPRoute", text); got != want {
			t.Errorf("%.200s:\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestGRPCRouteFindings holds what is different in a GRPCRoute.
func TestGRPCRouteFindings(t *testing.T) {
	for text, want := range map[string]string{
		"{" + oneBackend + "}":                                                                   "",
		"{matches: [{method: {}}], " + oneBackend + "}":                                          "error.matches[0].method: neither service nor method",
		"{matches: [{method: {service: 'a/b'}}], " + oneBackend + "}":                            `error.matches[0].method.service: "a/b" cannot be the name of a service`,
		"{matches: [{method: {method: a.b}}], " + oneBackend + "}":                               `error.matches[0].method.method: "a.b" cannot be the name of a method`,
		"{matches: [{method: {type: RegularExpression, method: '('}}], " + oneBackend + "}":      `error.matches[0].method.method: regex "(": missing closing )`,
		"{matches: [{headers: [{name: a, value: b}, {name: a, value: b}]}], " + oneBackend + "}": `error.matches[0].headers[1].name: "a" is there twice`,
		"{filters: [{type: URLRewrite, urlRewrite: {}}], " + oneBackend + "}":                    "error.filters[0].type: \"URLRewrite\" is none of RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, ExtensionRef\nerror.filters[0].urlRewrite: unknown field",
		"{timeouts: {request: 1s}, " + oneBackend + "}":                                          "error.timeouts: unknown field",
		"{sessionPersistence: {}, " + oneBackend + "}":                                           "error.sessionPersistence: " + noSession,
		"{}": "warning: no backendRefs: every request is answered by UNAVAILABLE",
		"{filters: [{type: ExtensionRef, extensionRef: {group: '', kind: C, name: d}}], " + oneBackend + "}": "error.filters[0].extensionRef: " + noExtension,
	} {
		if got := ruleFindings(t, Config{}, "GRPCRoute", text); got != want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestGatewayParentFindings holds the rules for parents. Line 6 has them.
func TestGatewayParentFindings(t *testing.T) {
	const service = `group: "", kind: Service, name: orders`
	for parents, want := range map[string]string{
		"[{" + service + "}]":             "",
		"[{name: gw}]":                    "warning 6: HTTPRoute/r: spec.parentRefs: bound to Gateways alone, which are for traffic that enters or leaves a mesh; it is left out",
		"[{name: gw}, {" + service + "}]": "",
		"[]":                              "warning 5: HTTPRoute/r: spec: no parentRefs, so that nobody uses it; it is left out",
		"[{kind: Service, name: orders}]": `error 6: HTTPRoute/r: spec.parentRefs[0]: there is no Service in the group "gateway.networking.k8s.io"; want group: ""`,
		"[{group: core, kind: Service, name: orders}]":                           `error 6: HTTPRoute/r: spec.parentRefs[0].group: there is no Service in the group "core"; want group: ""`,
		"[{group: a.b, kind: Mesh, name: m}]":                                    "error 6: HTTPRoute/r: spec.parentRefs[0]: \"a.b/Mesh\" cannot be a parent here; only a Service can",
		"[{" + service + "}, {" + service + "}]":                                 "error 6: HTTPRoute/r: spec.parentRefs[1]: the same parent as parentRefs[0]",
		"[{" + service + "}, {" + service + ", port: 1}]":                        "error 6: HTTPRoute/r: spec.parentRefs[1]: the same parent as parentRefs[0]: both or none must give port, and sectionName",
		"[{" + service + ", port: 1}, {" + service + ", port: 2}]":               "",
		"[{" + service + ", port: 0}]":                                           "error 6: HTTPRoute/r: spec.parentRefs[0].port: 0: want 1 to 65535",
		"[{" + service + ", sectionName: web}]":                                  "error 6: HTTPRoute/r: spec.parentRefs[0].sectionName: no manifest defines the Service, so that its ports are not known by name",
		`[{group: "", kind: Service, name: known, sectionName: htp}]`:            `error 6: HTTPRoute/r: spec.parentRefs[0].sectionName: unknown port of Service/known "htp", did you mean "http"?`,
		`[{group: "", kind: Service, name: known, port: 81}]`:                    "error 6: HTTPRoute/r: spec.parentRefs[0].port: Service/known has no port 81",
		`[{group: "", kind: Service, name: known, port: 80, sectionName: http}]`: "",
		`[{group: "", kind: Service, name: named}]`:                              "error 6: HTTPRoute/r: spec.parentRefs[0]: a Service of type ExternalName cannot be a parent (GEP-1294)",
		`[{group: "", kind: Service}]`:                                           "error 6: HTTPRoute/r: spec.parentRefs[0].name: no name",
		"[" + strings.Repeat("{name: gw}, ", 32) + "{" + service + "}]":          "error 6: HTTPRoute/r: spec.parentRefs: 33 entries; at most 32",
	} {
		text := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r\nspec:\n  parentRefs: " + parents +
			"\n  rules: [{" + oneBackend + "}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: known}\nspec: {ports: [{name: http, port: 80}]}\n" +
			"---\napiVersion: v1\nkind: Service\nmetadata: {name: named}\nspec: {type: ExternalName, externalName: example.com}\n"
		got := findingsOf(t, Config{}, text)
		if strings.HasPrefix(parents, "[{name: gw}, {name: gw}") {
			got, _, _ = strings.Cut(got, "\n") // each is the same as all before, too
		}
		if got != want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", parents, got, want)
		}
	}
}

// TestGatewayRoutesForGateways: what is refused is of no account in a route for Gateways alone.
func TestGatewayRoutesForGateways(t *testing.T) {
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: gw}]\n" +
		"  rules: [{filters: [{type: CORS, cors: {allowOrigins: ['*']}}], sessionPersistence: {type: Cookie}, backendRefs: [{group: a.b, kind: C, name: d}]}]\n"
	want := "warning 5: HTTPRoute/r: spec.parentRefs: bound to Gateways alone, which are for traffic that enters or leaves a mesh; it is left out"
	if got := findingsOf(t, Config{}, text); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestGatewayLenient: what cannot be honoured is left out with a warning, but for filters that "MUST NOT be skipped".
func TestGatewayLenient(t *testing.T) {
	for text, want := range map[string][2]string{
		"{sessionPersistence: {}, " + oneBackend + "}":                                                        {"warning.sessionPersistence: " + noSession + "; it is left out", "a:80"},
		"{filters: [{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}], " + oneBackend + "}": {"warning.filters[0].extensionRef: " + noExtension + "; the requests are answered by 500", "500"},
		"{filters: [{type: CORS, cors: {}}], " + oneBackend + "}":                                             {"warning.filters[0].cors: " + noCORS + "; it is left out", "a:80"},
		"{backendRefs: [{name: a, port: 80}, {name: b, port: 80, filters: [{type: ExternalAuth, externalAuth: {}}]}]}": {
			"warning.backendRefs[1].filters[0].externalAuth: " + noAuth + "; the requests are answered by 500", "1 x a:80, 1 x 500",
		},
		"{backendRefs: [{name: a, port: 80}, {kind: Other, name: b, weight: 2}]}": {
			"warning.backendRefs[1]: \"Other\" cannot be a backend here; only a Service can; its share of the requests is answered by 500", "1 x a:80, 2 x 500",
		},
		"{matches: [{pth: /a}], " + oneBackend + "}": {"warning.matches[0].pth: unknown field; it is left out, did you mean \"path\"?", "a:80"},
	} {
		cfg := Config{Lenient: true}
		if got := ruleFindings(t, cfg, "HTTPRoute", text); got != want[0] {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", text, got, want[0])
		}
		s, _ := Parse(cfg, map[string]string{"a.yaml": routeText("name: r", "  - "+text)})
		r := &routeRig{t: t, state: s}
		r.compile()
		if got := r.send("GET http://orders/"); got != want[1] {
			t.Errorf("%s: got %s, want %s", text, got, want[1])
		}
	}
}
