package matrix

import (
	"context"
	"net/http"

	"google.golang.org/grpc"
)

// wire is how a column's calls travel.
type wire int

const (
	h1 wire = iota
	h2      // in clear text, but for secure rows
	overGRPC
)

// column is a kind of call.
type column struct {
	name      string
	wire      wire
	streaming bool
	call      func(ctx context.Context, c *caller) answer
}

var columns = []column{
	{"h1 unary", h1, false, get},
	{"h1 streaming", h1, true, talk},
	{"h2 unary", h2, false, get},
	{"h2 streaming", h2, true, talk},
	{"grpc unary", overGRPC, false, unary},
	{"grpc server stream", overGRPC, true, serverStream},
	{"grpc client stream", overGRPC, true, clientStream},
	{"grpc bidi", overGRPC, true, bidi},
}

func (c column) isGRPC() bool { return c.wire == overGRPC }

// protocols lets an HTTP client or server speak the column's version and no other.
func (w *world) protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(w.column.wire == h1)
	p.SetHTTP2(w.column.wire == h2 && w.secure)
	p.SetUnencryptedHTTP2(w.column.wire == h2 && !w.secure)
	return p
}

// caller is a client of one protocol, as a program has it.
type caller struct {
	rt   http.RoundTripper
	cc   *grpc.ClientConn
	told bool // it sends the deadline of a request that it is serving itself, by hand
	tls  bool // its URLs say https
}

// words are the messages of the streaming columns.
var words = []string{"one", "two", "three"}

// scenario is what happens to a call.
type scenario struct {
	name     string
	mode     mode
	deadline bool // the caller has one, an hour ahead
	told     bool // the caller has none, and sends the header that tells one
	calls    int  // one after the other
}

// answered is the scenario in which nothing happens; it is made more than once to see connections used again.
var answered = scenario{name: "answered", mode: answers, calls: 3}

var scenarios = []scenario{
	answered,
	{name: "deadline", mode: answers, deadline: true, calls: 1},
	{name: "told", mode: answers, told: true, calls: 1},
	{name: "refused", mode: refusesOnce, calls: 1},
	{name: "broken", mode: breaksOnce, calls: 1},
	{name: "slow", mode: slow, calls: 1},
	{name: "silent", mode: silent, calls: 1},
}

// panicking is for servers of the mesh alone: plain grpc-go ends the process.
var panicking = scenario{name: "panic", mode: panics, calls: 1}
