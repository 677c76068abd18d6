package manifest

import (
	"strings"
	"testing"
)

// TestVirtualServiceFindings: what Istio's validation refuses is refused, what cannot be honoured too, and what has no effect
// gets a warning, each with its field.
func TestVirtualServiceFindings(t *testing.T) {
	const route = "route: [{destination: {host: b}}]"
	http := func(s string) string { return "{hosts: [a], http: [{" + s + "}]}" }
	match := func(s string) string { return http("match: [{" + s + "}], " + route) }
	for name, c := range map[string]struct{ spec, want string }{
		"nothing wrong":                         {http(route), ""},
		"no routes":                             {"{hosts: [a]}", "error spec: has no http routes"},
		"tcp":                                   {"{hosts: [a], tcp: [{" + route + "}], http: [{" + route + "}]}", "error spec.tcp: only HTTP and gRPC are routed: the mesh carries no bare connections"},
		"corsPolicy":                            {http(route + ", corsPolicy: {allowOrigins: [{exact: x}]}"), "error spec.http[0].corsPolicy: is between browsers and the servers that they reach: a gateway or the server's own handler answers it"},
		"every host":                            {"{hosts: ['*'], http: [{" + route + "}]}", `error spec.hosts[0]: "*" is not allowed for callers of the mesh: name the domain, "*.example.com"`},
		"not a host":                            {"{hosts: ['a_b!'], http: [{" + route + "}]}", `error spec.hosts[0]: "a_b!" is not the name of a host`},
		"a wildcard inside":                     {"{hosts: ['a.*.com'], http: [{" + route + "}]}", `error spec.hosts[0]: "a.*.com" is not the name of a host`},
		"one host by two names":                 {"{hosts: [a, a.default.svc.cluster.local], http: [{match: [{port: 80}], " + route + "}]}", `warning spec.hosts[1]: has no effect: it is another name of "a.default.svc.cluster.local", which stands before it`},
		"hosts of which one contains the other": {"{hosts: ['*.a.com', x.a.com], http: [{" + route + "}]}", `error spec.hosts[1]: "*.a.com" and "x.a.com" are for the same names`},
		"gateways only":                         {"{hosts: ['*'], gateways: [g], http: [{" + route + "}]}", `warning spec.gateways: is for gateways only and is left out; "mesh" among them makes it one for callers`},
		"exported twice":                        {"{hosts: [a], exportTo: ['.', default], http: [{" + route + "}]}", "error spec.exportTo[1]: is there twice"},
		"exported to all and some":              {"{hosts: [a], exportTo: ['*', x], http: [{" + route + "}]}", `error spec.exportTo: "*" and namespaces cannot be given together`},
		"no action":                             {http("name: x"), "error spec.http[0]: one of route, redirect, directResponse and delegate is needed"},
		"two actions":                           {http(route + ", redirect: {uri: /x}"), "error spec.http[0].route: redirect and route cannot be given together"},
		"redirect and fault":                    {http("redirect: {uri: /x}, fault: {abort: {httpStatus: 500, percentage: {value: 1}}}"), "error spec.http[0].fault: redirect and fault cannot be given together"},
		"redirect and rewrite":                  {http("redirect: {uri: /x}, rewrite: {uri: /y}"), "error spec.http[0].rewrite: redirect and rewrite cannot be given together"},
		"redirect and timeout":                  {http("redirect: {uri: /x}, timeout: 1s"), "warning spec.http[0].timeout: has no effect beside redirect: nobody is asked"},
		"an empty redirect":                     {http("redirect: {}"), "error spec.http[0].redirect: one of uri, prefixRewrite, authority, scheme and port is needed"},
		"a redirect's status":                   {http("redirect: {uri: /x, redirectCode: 305}"), "error spec.http[0].redirect.redirectCode: 305: Istio, too, only knows 301, 302, 303, 307 and 308"},
		"no redirect's status":                  {http("redirect: {uri: /x, redirectCode: 200}"), "error spec.http[0].redirect.redirectCode: 200: want 301, 302, 303, 307 or 308"},
		"a redirect's scheme":                   {http("redirect: {scheme: ftp}"), `error spec.http[0].redirect.scheme: "ftp": want http or https`},
		"a port that is not known":              {http("redirect: {scheme: https, derivePort: FROM_REQUEST_PORT}"), "error spec.http[0].redirect.derivePort: the request's port is not known beside another scheme: give port, or a match for one port"},
		"a response's status":                   {http("directResponse: {status: 99}"), "error spec.http[0].directResponse.status: 99: want 200 to 599"},
		"an empty rewrite":                      {http("rewrite: {}, " + route), "error spec.http[0].rewrite: one of uri, uriRegexRewrite and authority is needed"},
		"two rewrites":                          {http("rewrite: {uri: /x, uriRegexRewrite: {match: a, rewrite: b}}, " + route), "error spec.http[0].rewrite.uriRegexRewrite: uri and uriRegexRewrite cannot be given together"},
		"half a rewrite":                        {http("rewrite: {uriRegexRewrite: {match: a}}, " + route), "error spec.http[0].rewrite.uriRegexRewrite: match and rewrite are both needed"},
		"an authority in two places":            {http("rewrite: {authority: x}, headers: {request: {set: {host: y}}}, " + route), "error spec.http[0]: the authority is set in more than one place"},
		"an empty prefix":                       {match("uri: {prefix: ''}"), "error spec.http[0].match[0].uri.prefix: must not be empty"},
		"an empty regex":                        {match("uri: {regex: ''}"), "error spec.http[0].match[0].uri.regex: must not be empty"},
		"no RE2":                                {match("headers: {x: {regex: '(?=a)'}}"), "error spec.http[0].match[0].headers[\"x\"].regex: not an RE2 expression: invalid or unsupported Perl syntax: `(?=`"},
		"a long regex":                          {match("uri: {regex: " + strings.Repeat("a", 1025) + "}"), "error spec.http[0].match[0].uri.regex: 1025 bytes, and Istio takes at most 1024"},
		"a regex and case":                      {match("uri: {regex: /a}, ignoreUriCase: true"), "warning spec.http[0].match[0].ignoreUriCase: has no effect on a regex: write (?i) in front of it"},
		"two conditions":                        {match("uri: {exact: /a, prefix: /b}"), "error spec.http[0].match[0].uri.prefix: only one of exact and prefix can be given"},
		"a claim":                               {match("headers: {'@request.auth.claims.x': {exact: y}}"), `error spec.http[0].match[0].headers["@request.auth.claims.x"]: claims of a JWT are known to a gateway only, in Istio as here`},
		"no header":                             {match("headers: {'a b': {}}"), `error spec.http[0].match[0].headers["a b"]: "a b" is not the name of a header`},
		"a header that Istio ignores":           {match("headers: {uri: {exact: /}}"), `error spec.http[0].match[0].headers["uri"]: Istio documents that it ignores headers of this name; the match has a field uri`},
		"a pseudo header":                       {match("headers: {':path': {exact: /}}"), `error spec.http[0].match[0].headers[":path"]: not a header: the match has uri, scheme, method and authority`},
		"a port":                                {match("port: 65536"), "error spec.http[0].match[0].port: 65536 is not a port: want 1 to 65535"},
		"a namespace":                           {match("sourceNamespace: A"), `error spec.http[0].match[0].sourceNamespace: "A" is not the name of a namespace`},
		"no host":                               {http("route: [{destination: {subset: x}}]"), "error spec.http[0].route[0].destination: a host is needed"},
		"no destination":                        {http("route: [{weight: 1}]"), "error spec.http[0].route[0]: a destination is needed"},
		"many hosts":                            {http("route: [{destination: {host: '*.a'}}]"), `error spec.http[0].route[0].destination.host: "*.a" is not one service`},
		"a weight below 0":                      {http("route: [{destination: {host: b}, weight: -1}]"), "error spec.http[0].route[0].weight: -1: must not be negative"},
		"weights beyond bounds":                 {http("route: [{destination: {host: b}, weight: 2147483647}, {destination: {host: b}, weight: 2147483647}, {destination: {host: b}, weight: 2}]"), "error spec.http[0].route: the weights add up to 4294967296: at most 4294967295 is allowed"},
		"no weight":                             {http("route: [{destination: {host: b}}, {destination: {host: c}}]"), "error spec.http[0].route: no destination has a weight"},
		"an unknown subset":                     {http("route: [{destination: {host: known, subset: v11}}]"), `error spec.http[0].route[0].destination.subset: unknown subset of known.default.svc.cluster.local "v11", did you mean "v1"?`},
		"a subset of nobody":                    {http("route: [{destination: {host: b, subset: v1}}]"), `error spec.http[0].route[0].destination.subset: unknown subset of b.default.svc.cluster.local "v1"`},
		"an unknown subset of a mirror":         {http(route + ", mirror: {host: known, subset: x}"), `error spec.http[0].mirror.subset: unknown subset of known.default.svc.cluster.local "x"`},
		"the same with other headers":           {http("route: [{destination: {host: b}, weight: 1}, {destination: {host: b}, weight: 1, headers: {request: {set: {x: y}}}}]"), "error spec.http[0].route[1]: is the destination of route[0] too, and a second set of headers cannot be given to one destination"},
		"an authority for one of many":          {http("route: [{destination: {host: b}, weight: 1}, {destination: {host: c}, weight: 1, headers: {request: {set: {host: y}}}}]"), "error spec.http[0].route[1].headers.request: the authority is the same for all destinations of a route: set it in the route"},
		"a variable of Envoy":                   {http(route + ", headers: {request: {set: {x: '%REQ(a)%'}}}"), `error spec.http[0].headers.request.set["x"]: "%REQ(a)%": variables of Envoy are not known; a single % is written %%`},
		"a pseudo header that is set":           {http(route + ", headers: {request: {set: {':path': x}}}"), `error spec.http[0].headers.request.set[":path"]: ":path" cannot be changed here`},
		"a host that is removed":                {http(route + ", headers: {request: {remove: [host]}}"), `error spec.http[0].headers.request.remove[0]: "host" cannot be changed here`},
		"a host of the answer":                  {http(route + ", headers: {response: {set: {host: x}}}"), `error spec.http[0].headers.response.set["host"]: "host" cannot be changed here`},
		"a short timeout":                       {http(route + ", timeout: 0s"), "error spec.http[0].timeout: 0s: must be at least 1 ms; without it there is no limit"},
		"half a millisecond":                    {http(route + ", timeout: 1500us"), "error spec.http[0].timeout: 1.5ms: Istio counts whole milliseconds"},
		"retries without attempts":              {http(route + ", retries: {perTryTimeout: 1s}"), "error spec.http[0].retries: says how to retry, and attempts is 0 or not given, which switches retries off"},
		"retries below 0":                       {http(route + ", retries: {attempts: -1}"), "error spec.http[0].retries.attempts: -1: must not be negative"},
		"many retries":                          {http(route + ", retries: {attempts: 11}"), "error spec.http[0].retries.attempts: 11: at most 10 retries are made"},
		"a short try":                           {http(route + ", retries: {attempts: 1, perTryTimeout: 1us}"), "error spec.http[0].retries.perTryTimeout: 1µs: must be at least 1 ms"},
		"an unknown condition":                  {http(route + ", retries: {attempts: 1, retryOn: '5xx,conect-failure'}"), `error spec.http[0].retries.retryOn: unknown condition "conect-failure", did you mean "connect-failure"?`},
		"a condition without effect":            {http(route + ", retries: {attempts: 1, retryOn: '5xx,retriable-headers'}"), "warning spec.http[0].retries.retryOn: retriable-headers has no effect: Istio has no place for the names of headers"},
		"a status that has no name":             {http(route + ", retries: {attempts: 1, retryOn: '599'}"), `error spec.http[0].retries.retryOn: unknown condition "599"`},
		"other localities":                      {http(route + ", retries: {attempts: 1, retryRemoteLocalities: true}"), "error spec.http[0].retries.retryRemoteLocalities: a retry goes where a first attempt would, to another endpoint"},
		"previous hosts":                        {http(route + ", retries: {attempts: 1, retryIgnorePreviousHosts: false}"), "error spec.http[0].retries.retryIgnorePreviousHosts: endpoints that were tried are avoided while there are others"},
		"an empty fault":                        {http(route + ", fault: {}"), "error spec.http[0].fault: a delay, an abort or both are needed"},
		"a fault without a share":               {http(route + ", fault: {abort: {httpStatus: 500}}"), "warning spec.http[0].fault.abort: has no percentage above 0, so that no request is aborted"},
		"a fault of more than all":              {http(route + ", fault: {delay: {fixedDelay: 1s, percentage: {value: 101}}}"), "error spec.http[0].fault.delay.percentage: 101: must be 0, or from 0.0001 to 100"},
		"exponentialDelay":                      {http(route + ", fault: {delay: {exponentialDelay: 1s, percentage: {value: 1}}}"), "error spec.http[0].fault.delay.exponentialDelay: is not supported by Istio either; give a fixedDelay"},
		"a status of a fault":                   {http(route + ", fault: {abort: {httpStatus: 600, percentage: {value: 1}}}"), "error spec.http[0].fault.abort.httpStatus: 600: want 200 to 599"},
		"a code of a fault":                     {http(route + ", fault: {abort: {grpcStatus: UNAVAILIBLE, percentage: {value: 1}}}"), `error spec.http[0].fault.abort.grpcStatus: unknown gRPC status "UNAVAILIBLE", did you mean "UNAVAILABLE"?`},
		"a timeout beside a fault":              {http(route + ", timeout: 1s, fault: {delay: {fixedDelay: 1s, percentage: {value: 1}}}"), "warning spec.http[0].timeout: has no effect while the route has a fault, as Istio documents it"},
		"mirror and mirrors":                    {http(route + ", mirror: {host: b}, mirrors: [{destination: {host: c}}]"), "error spec.http[0].mirrors: mirror and mirrors cannot be given together"},
		"more than all mirrored":                {http(route + ", mirror: {host: b}, mirrorPercentage: {value: 101}"), "error spec.http[0].mirrorPercentage: 101: must be 0 to 100"},
		"mirrorPercent":                         {http(route + ", mirror: {host: b}, mirrorPercent: 5"), "warning spec.http[0].mirrorPercent: is deprecated: use mirrorPercentage"},
		"a share of no mirror":                  {http(route + ", mirrorPercentage: {value: 5}"), "warning spec.http[0].mirrorPercentage: has no effect without mirror"},
		"a delegate of nobody":                  {"{http: [{" + route + "}]}", "warning spec: has no hosts, and no other VirtualService has it as its delegate, so that it has no effect"},
		"a delegate with gateways":              {"{gateways: [mesh], http: [{" + route + "}]}", "warning spec: has no hosts, and no other VirtualService has it as its delegate, so that it has no effect|error spec.gateways: a delegate, which is one without hosts, has no gateways"},
		"an unknown delegate":                   {http("delegate: {name: x}"), `error spec.http[0].delegate.name: unknown VirtualService without hosts in default, "x"`},
		"a delegate that delegates":             {"{http: [{delegate: {name: x}}]}", "warning spec: has no hosts, and no other VirtualService has it as its delegate, so that it has no effect|error spec.http[0].delegate: a delegate cannot delegate again: Istio knows one level only"},
		"a regex of a delegate":                 {"{http: [{match: [{uri: {regex: a}}], " + route + "}]}", "warning spec: has no hosts, and no other VirtualService has it as its delegate, so that it has no effect|error spec.http[0].match[0].uri.regex: a regex cannot be delegated: Istio cannot tell whether one match is within another then"},
		"a route behind one that takes all":     {"{hosts: [a], http: [{" + route + "}, {match: [{uri: {exact: /x}}], " + route + "}]}", `warning spec.http[1]: "VirtualService/x/http[1]": can never match: VirtualService/x spec.http[0] (a.yaml:11) takes all its requests`},
		"misspelt":                              {http(route + ", retries: {attemps: 1}"), `error spec.http[0].retries.attemps: unknown field, did you mean "attempts"?`},
	} {
		t.Run(name, func(t *testing.T) {
			compareFindings(t, dr("known", "{host: known, subsets: [{name: v1}]}")+strings.Replace(vs("x", ""), "spec: ", "spec:\n  "+c.spec, 1), "VirtualService/x", c.want)
		})
	}
}

// compareFindings compares the findings of a file, of which wanted ones stand with "|" between them: "error field: why".
func compareFindings(t *testing.T, text, object, want string) {
	t.Helper()
	_, found := Parse(Config{}, map[string]string{"a.yaml": text})
	var list []string
	for _, f := range found {
		if f.Line == 0 || f.Object != object {
			t.Errorf("a finding without a place, or of another object: %v", f)
		}
		line := f.Severity.String() + " " + f.Field + ": " + f.Why
		if f.Suggestion != "" {
			line += ", did you mean \"" + f.Suggestion + "\"?"
		}
		list = append(list, line)
	}
	if got := strings.Join(list, "|"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDestinationRuleFindings is the same for DestinationRules.
func TestDestinationRuleFindings(t *testing.T) {
	policy := func(s string) string { return "{host: a, trafficPolicy: {" + s + "}}" }
	hash := func(s string) string { return policy("loadBalancer: {consistentHash: {" + s + "}}") }
	locality := func(s string) string {
		return policy("outlierDetection: {}, loadBalancer: {localityLbSetting: {" + s + "}}")
	}
	for name, c := range map[string]struct{ spec, want string }{
		"nothing wrong":                     {policy("tls: {mode: DISABLE}"), ""},
		"no host":                           {"{trafficPolicy: {tls: {mode: DISABLE}}}", "error spec: a host is needed"},
		"not a host":                        {"{host: 'a b'}", `error spec.host: "a b" is not the name of a host`},
		"nothing said":                      {policy(""), "error spec.trafficPolicy: says nothing"},
		"workloadSelector":                  {"{host: a, workloadSelector: {matchLabels: {a: b}}}", "error spec.workloadSelector: selects callers by their labels, which are not known when manifests are read; give such callers a folder of their own"},
		"tunnel":                            {policy("tls: {mode: DISABLE}, tunnel: {targetHost: a, targetPort: 1}"), "error spec.trafficPolicy.tunnel: is for bare connections: only HTTP and gRPC are routed"},
		"proxyProtocol":                     {policy("tls: {mode: DISABLE}, proxyProtocol: {version: V2}"), "error spec.trafficPolicy.proxyProtocol: the PROXY protocol is spoken by proxies, and there is none"},
		"a subset without a name":           {"{host: a, subsets: [{labels: {a: b}}]}", "error spec.subsets[0]: a name is needed"},
		"a subset that is there twice":      {"{host: a, subsets: [{name: b}, {name: b}]}", `error spec.subsets[1].name: "b" is there twice`},
		"the name of a subset":              {"{host: a, subsets: [{name: B}]}", `error spec.subsets[0].name: "B" is not the name of a subset`},
		"PASSTHROUGH":                       {policy("loadBalancer: {simple: PASSTHROUGH}"), "error spec.trafficPolicy.loadBalancer.simple: PASSTHROUGH: callers say names and not addresses, so that there is no address to pass on to"},
		"two policies":                      {policy("loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}"), "error spec.trafficPolicy.loadBalancer.consistentHash: only one of simple and consistentHash can be given"},
		"no key":                            {hash(""), "error spec.trafficPolicy.loadBalancer.consistentHash: one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName is needed"},
		"a key that is none":                {hash("useSourceIp: false"), "error spec.trafficPolicy.loadBalancer.consistentHash.useSourceIp: false: a key is needed"},
		"a cookie without a name":           {hash("httpCookie: {ttl: 1s}"), `error spec.trafficPolicy.loadBalancer.consistentHash.httpCookie: "" is not the name of a cookie`},
		"a cookie's attributes":             {hash("httpCookie: {name: a, attributes: [{name: b}]}"), "error spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes: a cookie that is made has a path and a lifetime, and no other attributes"},
		"minimumRingSize":                   {hash("useSourceIp: true, minimumRingSize: 5"), "warning spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize: is deprecated: use ringHash.minimumRingSize"},
		"a table that is no prime":          {hash("useSourceIp: true, maglev: {tableSize: 100}"), "error spec.trafficPolicy.loadBalancer.consistentHash.maglev: tableSize 100: must be a prime below 5000011"},
		"a large ring":                      {hash("useSourceIp: true, ringHash: {minimumRingSize: 9000000}"), "error spec.trafficPolicy.loadBalancer.consistentHash.ringHash.minimumRingSize: 9000000: must be at most 8388608"},
		"zoneAwareLbSetting":                {policy("loadBalancer: {zoneAwareLbSetting: {enabled: true}}"), "error spec.trafficPolicy.loadBalancer.zoneAwareLbSetting: shares by zone are not reckoned from the number of endpoints: a localityLbSetting says who prefers which zone"},
		"two ways of locality":              {locality("failover: [{from: a, to: b}], failoverPriority: [x]"), "error spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority: only one of distribute, failover and failoverPriority can be given"},
		"shares that do not add up":         {locality("distribute: [{from: a, to: {b: 60, c: 30}}]"), "error spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to: the shares must sum to 100, and they are 90"},
		"not a place":                       {locality("distribute: [{from: 'a/*/b', to: {b: 100}}]"), `error spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].from: "a/*/b": want "region", "region/zone" or "region/zone/subzone", or "*" at the end`},
		"failover to itself":                {locality("failover: [{from: a, to: a}]"), "error spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0].to: must be another region than from"},
		"failover without outlierDetection": {policy("loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}"), "warning spec.trafficPolicy.loadBalancer.localityLbSetting.failover: has no effect without outlierDetection, which finds what is well"},
		"locality that is off":              {locality("enabled: false, failover: [{from: a, to: b}]"), "warning spec.trafficPolicy.loadBalancer.localityLbSetting.failover: has no effect: enabled is false"},
		"two warm-ups":                      {policy("loadBalancer: {warmupDurationSecs: 5s, warmup: {duration: 5s}}"), "error spec.trafficPolicy.loadBalancer.warmup: warmup and warmupDurationSecs cannot be given together"},
		"a warm-up of no length":            {policy("loadBalancer: {warmup: {aggression: 1}}"), "error spec.trafficPolicy.loadBalancer.warmup: a duration is needed"},
		"a warm-up that has no effect":      {policy("loadBalancer: {simple: RANDOM, warmup: {duration: 5s}}"), "warning spec.trafficPolicy.loadBalancer.warmup: has no effect: Istio knows it for ROUND_ROBIN and LEAST_REQUEST"},
		"an empty pool":                     {policy("connectionPool: {}"), "error spec.trafficPolicy.connectionPool: says nothing"},
		"a limit below 0":                   {policy("connectionPool: {tcp: {maxConnections: -1}}"), "error spec.trafficPolicy.connectionPool.tcp.maxConnections: -1: must not be negative"},
		"a short idle time":                 {policy("connectionPool: {http: {idleTimeout: 0s}}"), "error spec.trafficPolicy.connectionPool.http.idleTimeout: 0s: must be at least 1 ms"},
		"maxConcurrentStreams":              {policy("connectionPool: {http: {maxConcurrentStreams: 5}}"), "error spec.trafficPolicy.connectionPool.http.maxConcurrentStreams: streams of a connection are bounded by what the server announces; http2MaxRequests bounds requests"},
		"two protocols":                     {policy("connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}}"), "error spec.trafficPolicy.connectionPool.http.useClientProtocol: contradicts the h2UpgradePolicy UPGRADE"},
		"nobody waits":                      {policy("connectionPool: {http: {http1MaxPendingRequests: 5}}"), "warning spec.trafficPolicy.connectionPool.http.http1MaxPendingRequests: has no effect without tcp.maxConnections: a call has its connection to itself and does not wait"},
		"consecutiveErrors":                 {policy("outlierDetection: {consecutiveErrors: 5}"), "error spec.trafficPolicy.outlierDetection.consecutiveErrors: is no longer heeded by Istio: give consecutive5xxErrors or consecutiveGatewayErrors"},
		"local failures that are not split": {policy("outlierDetection: {consecutiveLocalOriginFailures: 5}"), "error spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: needs splitExternalLocalOriginErrors"},
		"more than all ejected":             {policy("outlierDetection: {maxEjectionPercent: 101}"), "error spec.trafficPolicy.outlierDetection.maxEjectionPercent: 101: must be 0 to 100"},
		"gateway errors that come too late": {policy("outlierDetection: {consecutiveGatewayErrors: 5}"), "warning spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors: has no effect: 5 of these are 5 of consecutive5xxErrors first"},
		"half a certificate":                {policy("tls: {mode: MUTUAL, clientCertificate: a}"), "error spec.trafficPolicy.tls: clientCertificate and privateKey are needed where the mode is MUTUAL"},
		"files of the mesh":                 {policy("tls: {mode: ISTIO_MUTUAL, caCertificates: a}"), "error spec.trafficPolicy.tls: the mode ISTIO_MUTUAL has the certificates of the mesh, and no files"},
		"credentialName":                    {policy("tls: {mode: SIMPLE, credentialName: a}"), "error spec.trafficPolicy.tls.credentialName: secrets of a cluster are not read: give the files, as clientCertificate, privateKey and caCertificates"},
		"insecureSkipVerify":                {policy("tls: {mode: SIMPLE, insecureSkipVerify: true}"), "error spec.trafficPolicy.tls.insecureSkipVerify: servers are always verified: give caCertificates"},
		"caCrl":                             {policy("tls: {mode: SIMPLE, caCrl: a}"), "error spec.trafficPolicy.tls.caCrl: lists of revoked certificates are not read"},
		"a port that says nothing":          {policy("portLevelSettings: [{port: {number: 80}}]"), "error spec.trafficPolicy.portLevelSettings[0]: says nothing"},
		"settings of no port":               {policy("portLevelSettings: [{tls: {mode: DISABLE}}]"), "error spec.trafficPolicy.portLevelSettings[0]: a port is needed"},
		"a port that is there twice":        {policy("portLevelSettings: [{port: {number: 80}, tls: {}}, {port: {number: 80}, tls: {}}]"), "error spec.trafficPolicy.portLevelSettings[1].port.number: 80 is there twice"},
		"a budget of more than all":         {policy("retryBudget: {percent: 101}"), "error spec.trafficPolicy.retryBudget.percent: 101: must be 0 to 100"},
		"a budget over time":                {policy("retryBudget: {budgetInterval: 10s}"), "error spec.trafficPolicy.retryBudget.budgetInterval: retries are compared with the calls under way, not with those of some time"},
		"two bounds of retries":             {policy("retryBudget: {percent: 5}, connectionPool: {http: {maxRetries: 3}}"), "warning spec.trafficPolicy.connectionPool.http.maxRetries: has no effect beside retryBudget, as in Envoy"},
		"misspelt":                          {policy("connectionPool: {http: {h2UpgradeElection: UPGRADE}}"), `error spec.trafficPolicy.connectionPool.http.h2UpgradeElection: unknown field, did you mean "h2UpgradePolicy"?`},
		"of a service in another namespace": {"{host: a.shop.svc.cluster.local, trafficPolicy: {tls: {}}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			compareFindings(t, dr("x", c.spec), "DestinationRule/x", c.want)
		})
	}
}
