package traffic

import (
	"time"

	"github.com/intramesh/intramesh/resilience"
)

// Policy says where requests go, and how the places are treated that they go to. It is data: print it, compare it, load it,
// swap it. [Compile] makes it ready for use.
type Policy struct {
	// Routes are asked in their order; the first that matches decides. A request that none matches goes to the service
	// that its caller named.
	Routes []Route `json:"routes,omitempty"`
	// Destinations say how services are treated, whether a route leads to them or not.
	Destinations []Destination `json:"destinations,omitempty"`
	// MirrorLimits bound the copies of requests that are under way, of all routes together.
	MirrorLimits MirrorLimits `json:"mirrorLimits,omitzero"`
}

// Route is what becomes of the requests that it matches. One of To, Redirect and Respond says so; without any of them they
// go to the service that was called.
type Route struct {
	// Name tells the route from others in errors, Info, telemetry and Explain; no two have the same. Empty: "routes[3]", its
	// place in the policy.
	Name string `json:"name,omitempty"`
	// Hosts are the services that were called: "orders", "orders:8080", "*.shop.internal" for every name below, "*" for
	// all, each with a port or without. Without it stands for every port. Case makes no difference. Empty: all.
	Hosts []string `json:"hosts,omitempty"`
	// Match are conditions of which one must hold. Empty: every request.
	Match []Match `json:"match,omitempty"`

	// To are the destinations, by their weights.
	To []Backend `json:"to,omitempty"`
	// Sticky keeps a user on one destination of To while weights change: nobody leaves a version while it is the only one
	// that grows, and of two versions, or where the weights of the others stay, nobody moves but to it. Nil: each request is
	// drawn on its own.
	Sticky *Key `json:"sticky,omitempty"`
	// Redirect answers with a redirection.
	Redirect *Redirect `json:"redirect,omitempty"`
	// Respond answers without asking anybody.
	Respond *Response `json:"respond,omitempty"`

	// Rewrite changes path and authority before the request is sent.
	Rewrite *Rewrite `json:"rewrite,omitempty"`
	// Headers changes headers of requests and responses. Those of a Backend act after it.
	Headers Headers `json:"headers,omitzero"`
	// Timeout bounds the whole call with all its attempts, response body or stream included, as a deadline of the caller's
	// would; the earlier one holds. 0: no other limit than the caller's and the destination's; negative: none but the
	// caller's own.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Retry replaces the destination's. Nil: the destination's.
	Retry *resilience.Retry `json:"retry,omitempty"`
	// NoRetry switches retries off.
	NoRetry bool `json:"noRetry,omitempty"`
	// Faults are injected on purpose, each drawn on its own.
	Faults []Fault `json:"faults,omitempty"`
	// Mirrors get copies of requests, whose answers nobody waits for.
	Mirrors []Mirror `json:"mirrors,omitempty"`
}

// Match is a set of conditions that must all hold. One that is left empty always does.
type Match struct {
	// Name is added to the route's in Explain.
	Name string `json:"name,omitempty"`
	// Scheme is "http" or "https" as the caller wrote it; gRPC has none and matches nothing but the empty condition.
	Scheme Value `json:"scheme,omitzero"`
	// Authority is the host of the request as the server would see it, with a port where there is one.
	Authority Value `json:"authority,omitzero"`
	// Port is the port that the caller asked for: 80 where a URL of http names none, 443 for https. 0: any.
	Port uint16 `json:"port,omitempty"`
	// Path is the path of a URL as it travels, escaped and without its query; of a gRPC call "/package.Service/Method".
	Path Value `json:"path,omitzero"`
	// Method is the HTTP method. gRPC calls are POST.
	Method Value `json:"method,omitzero"`
	// GRPC holds for gRPC calls alone.
	GRPC *GRPCMatch `json:"grpc,omitempty"`
	// Headers must all hold, of those that the caller has set: what net/http and grpc add by themselves, such as Content-Length
	// and User-Agent, is not there yet. Names are compared without regard to case.
	Headers []Field `json:"headers,omitempty"`
	// Query are parameters of the URL, which must all hold, for the first value of each, unescaped. gRPC has none.
	Query []Field `json:"query,omitempty"`
	// Source is who calls: the labels of this process, see [Local], which must have all of these.
	Source map[string]string `json:"source,omitempty"`
}

// GRPCMatch is a condition on a gRPC method. A part that is left empty holds for all.
type GRPCMatch struct {
	// Service is the full name: "shop.v1.Orders".
	Service Value `json:"service,omitzero"`
	// Method is the last part: "Place".
	Method Value `json:"method,omitzero"`
}

// Field is a condition on a header or a query parameter.
type Field struct {
	// Name is the header's or the parameter's.
	Name string `json:"name"`
	// Value must hold for the first value; Present and Absent ask whether there is one at all.
	Value Value `json:"value"`
	// Not turns the condition round: it holds where there is none, too, unless Value is Absent.
	Not bool `json:"not,omitempty"`
}

// Backend is one destination of a route.
type Backend struct {
	// Service is its name. Empty: the service that was called.
	Service string `json:"service,omitempty"`
	// Subset is one of the subsets that the service's [Destination] names. Empty: all endpoints.
	Subset string `json:"subset,omitempty"`
	// Port is the service's port. 0: the caller's.
	Port uint16 `json:"port,omitempty"`
	// Weight is the share of the requests, in proportion to the sum. Where there is one backend it gets all whatever its
	// weight; of several one with 0 gets none, and one must have more.
	Weight uint32 `json:"weight,omitempty"`
	// Headers acts on the requests that go here, after the route's.
	Headers Headers `json:"headers,omitzero"`
	// Respond stands in the place of a service: this share of the requests gets the answer, and asks nobody.
	Respond *Response `json:"respond,omitempty"`
}

// Headers changes headers.
type Headers struct {
	Request  HeaderOps `json:"request,omitzero"`
	Response HeaderOps `json:"response,omitzero"`
}

// HeaderOps are changes of headers: first Remove, then Set, then Add. Over gRPC they change metadata; of the answer that
// is its header. What the mesh or the protocol itself sets cannot be changed.
type HeaderOps struct {
	// Set replaces all values of a name.
	Set map[string]string `json:"set,omitempty"`
	// Add adds a value to those that are there.
	Add map[string]string `json:"add,omitempty"`
	// Remove takes all values of a name away.
	Remove []string `json:"remove,omitempty"`
}

// Rewrite changes what the server sees as the request's target. What is empty stays.
type Rewrite struct {
	// Authority is the Host of HTTP and the :authority of gRPC.
	Authority string `json:"authority,omitempty"`
	// Path takes the place of the whole path. At most one of Path, Prefix and Regex is set.
	Path string `json:"path,omitempty"`
	// Prefix takes the place of the prefix that the route matched, or of the whole path where the match was exact. It needs
	// a path that is exact or a prefix in every match. A PathPrefix is replaced by whole segments ("/v1" by "/" makes "/v1/x"
	// to "/x", as in the Gateway API), a Prefix as it stands (to "//x", as in Envoy).
	Prefix *string `json:"prefix,omitempty"`
	// Regex replaces all that it finds in the path by Substitution, where \1 is the first group, \0 the whole and \\ a \. The
	// path is escaped, as it travels, and so is what takes its place; the query stays.
	Regex        string `json:"regex,omitempty"`
	Substitution string `json:"substitution,omitempty"`
}

// Redirect answers with a Location. What is empty stays as in the request. gRPC has no redirections: such a call fails.
type Redirect struct {
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	// Port is that of the location. 0: the request's; where Scheme is given, its usual one.
	Port uint16 `json:"port,omitempty"`
	// Path takes the place of the whole path, and of the query if it has one of its own; Prefix that of the prefix that the
	// route matched, see [Rewrite].
	Path   string  `json:"path,omitempty"`
	Prefix *string `json:"prefix,omitempty"`
	// Status is 301, 302, 303, 307 or 308. 0: 301.
	Status int `json:"status,omitempty"`
}

// Response is an answer that no server gave.
type Response struct {
	// Status is the HTTP status, 200 to 599. Over gRPC the call ends with the code that the status stands for.
	Status int `json:"status"`
	// Body is at most 1 MiB.
	Body string `json:"body,omitempty"`
	// ContentType is that of Body. Empty: text/plain.
	ContentType string `json:"contentType,omitempty"`
}

// Key says by what a request is placed, so that requests with the same one go the same way. Exactly one field is set. A
// request that has no such thing is placed by chance.
type Key struct {
	// Header is the name of a request header; over gRPC of metadata.
	Header string `json:"header,omitempty"`
	// Cookie is the name of a cookie.
	Cookie *Cookie `json:"cookie,omitempty"`
	// Query is the name of a parameter of the URL, whose value counts as it travels, escaped. A gRPC call has none.
	Query string `json:"query,omitempty"`
	// Source is the address of this process, [Local.Addr]: all its requests go the same way.
	Source bool `json:"source,omitempty"`
	// Context is what the caller gave: client.Options.HashKey.
	Context bool `json:"context,omitempty"`
}

// Cookie is a cookie that places requests.
type Cookie struct {
	Name string `json:"name"`
	// TTL has the mesh make the cookie where the request has none, valid for that long, and set it in the response; the
	// caller sends it with the next request if it has a cookie jar. 0: it is made by nobody; negative: for the session.
	TTL time.Duration `json:"ttl,omitempty"`
	// Path is that of a cookie that the mesh makes.
	Path string `json:"path,omitempty"`
}
