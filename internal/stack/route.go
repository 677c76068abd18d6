package stack

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// route is the layer that takes the policy of now, once, for the whole call, and finds by it where the call goes.
type route struct{ client *Client }

func (r route) Begin(c *Call) error {
	s := r.client
	if s.ending.Load() {
		return &call.Error{Reason: call.Closed, Code: call.CanceledCode, Err: errClosed}
	}
	g := s.now.Load()
	if s.routes != nil {
		if err := r.byTable(c, g); err != nil {
			return err
		}
	} else {
		c.dest = s.find(c, c.Service)
		c.exec = c.dest.under(g).exec
	}
	c.applyPolicy()
	if c.dest.direct || c.dest.Endpoints() != nil {
		return nil
	}
	return c.dest.await(c)
}

func (route) End(*Call) {}

// find is the destination of that name.
func (s *Client) find(c *Call, service string) *Destination {
	if c.Direct {
		return s.Direct(service, c.Start)
	}
	return s.Destination(service, c.Start)
}

// byTable asks the table of routes.
func (r route) byTable(c *Call, g *generation) (err error) {
	s := r.client
	if g.table == nil {
		if g, err = s.awaitRoutes(c); err != nil {
			return err
		}
	}
	q := c.Wire.Request()
	q.Service, q.HashKey, q.Addr = c.Service, c.options.HashKey, s.local.Addr
	service, subset := c.Service, ""
	if rule := g.table.Match(&q); rule != nil {
		c.rule, c.Route = rule, &rule.Name
		if service, subset, err = c.follow(rule, &q); err != nil {
			return err
		}
		if err = c.rewrite(rule.Route.Rewrite); err != nil {
			return err
		}
		if len(rule.Faults) > 0 {
			c.sicken(rule, &q)
		}
	}
	c.dest = s.find(c, service)
	if subset != "" {
		c.dest = c.dest.Subset(subset, g, c.Start)
	}
	if c.dest.Name != c.Service {
		c.SentTo = &c.dest.Name
	}
	if err := c.dest.undeclared(g); err != nil {
		return err
	}
	regime := c.dest.under(g)
	if err := c.unsecured(regime.settings.TLS); err != nil {
		return err
	}
	if err := c.outdated(regime.settings.Connections); err != nil {
		return err
	}
	c.exec = regime.executor(c.rule)
	if b := regime.settings.Balance; b != nil && b.Hash != nil {
		c.place(b.Hash, &q)
	}
	return nil
}

// unsecured is why the call cannot be made as the policy has it secured: it must not be sent in another way instead.
func (c *Call) unsecured(t *traffic.TLS) error {
	if t == nil || t.Mode == "" || t.Mode == traffic.TLSDisable || !c.Direct {
		return nil
	}
	err := fmt.Errorf("intramesh: the policy secures connections to %s (TLS mode %q), and these are the caller's own", c.dest.Name, t.Mode)
	return &call.Error{Reason: call.Invalid, Code: call.FailedPrecondition, Err: err}
}

// outdated is why a call of gRPC cannot be made over the connections that the policy asks for.
func (c *Call) outdated(s *traffic.Connections) error {
	if c.Protocol != call.GRPC || s == nil || s.HTTP2 == nil || *s.HTTP2 {
		return nil
	}
	err := fmt.Errorf("intramesh: the policy has connections to %s speak HTTP/1.1 alone (Connections.HTTP2), and gRPC needs HTTP/2", c.dest.Name)
	return &call.Error{Reason: call.Invalid, Code: call.FailedPrecondition, Err: err}
}

// follow does what the rule says, and says where it leads.
func (c *Call) follow(rule *traffic.Rule, q *traffic.Request) (service, subset string, err error) {
	if a := rule.Route.Respond; a != nil {
		return "", "", c.respond(a)
	}
	if rule.Route.Redirect != nil {
		status, location := rule.Location(q)
		return "", "", c.answer(call.Redirected, &call.Answer{Status: status, Location: location})
	}
	c.bake(rule.Route.Sticky, q)
	c.target = rule.Choose(q, c.client.count(rule))
	if c.target == nil {
		return c.Service, "", nil
	}
	b := c.target.Backend
	if b.Respond != nil {
		return "", "", c.respond(b.Respond)
	}
	service = c.target.Service(c.Service)
	if c.Direct && (service != c.Service || b.Subset != "") {
		return "", "", &call.Error{Reason: call.Invalid, Rule: rule.Name, Code: call.FailedPrecondition, Err: errUndiscovered}
	}
	return service, b.Subset, nil
}

var errUndiscovered = errors.New("intramesh: a route to another destination or a subset needs Config.Discovery")

func (c *Call) respond(r *traffic.Response) error {
	return c.answer(call.Responded, &call.Answer{Status: r.Status, Body: r.Body, ContentType: r.ContentType})
}

// answer ends the call with an answer that no server gave. For the layers it is a refusal; the wires make of it what the
// caller gets.
func (c *Call) answer(reason string, a *call.Answer) error {
	code := cmp.Or(a.Code, call.CodeOfHTTP(a.Status))
	if c.Protocol == call.GRPC {
		code = a.OverGRPC()
	}
	return &call.Error{Reason: reason, Rule: c.rule.Name, Code: code, Answer: a}
}

// place finds what the call is placed by. One that has no such thing is placed by chance.
func (c *Call) place(k *traffic.Key, q *traffic.Request) {
	c.bake(k, q)
	var ok bool
	if c.key, ok = k.Hash(q); !ok {
		c.key = rand.Uint64()
	}
}

// applyPolicy sets what the policy decides before the first attempt.
func (c *Call) applyPolicy() {
	untimed := c.routeTime()
	if limit := c.exec.Reply(); limit > 0 && !untimed && c.Deadline.IsZero() && !c.Streaming {
		c.ReplyBy = c.Start.Add(limit)
	}
	if c.options.Idempotent || c.exec.Idempotent() {
		c.Idempotent = true
	}
	if !c.Retries() {
		return
	}
	c.series.Protocol, c.series.Idempotent = c.Protocol, c.Idempotent
	c.series.Deadline = c.limit()
	if in := call.InboundFrom(c.Ctx); in != nil {
		c.series.PassedDown = in.Attempt > 1
	}
}

// routeTime applies the route's timeout: a deadline like the caller's own, of which the earlier one holds. It reports whether
// the route says that there is none.
func (c *Call) routeTime() (untimed bool) {
	if c.rule == nil || c.rule.Route.Timeout == 0 {
		return false
	}
	t := c.rule.Route.Timeout
	if t < 0 {
		return true
	}
	if at := c.Start.Add(t); c.Deadline.IsZero() || at.Before(c.Deadline) {
		c.Deadline, c.bounded = at, true
	}
	return false
}

// Went is the name of the destination that the call went to, or would have gone to; empty where it did not get that far.
func (c *Call) Went() string {
	if c.dest == nil {
		return ""
	}
	return c.dest.Name
}

// Rule is the route that the call matched; nil where none did.
func (c *Call) Rule() *traffic.Rule { return c.rule }

// Target is the route's choice among its destinations; nil where it has none.
func (c *Call) Target() *traffic.Target { return c.target }
