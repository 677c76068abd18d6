package manifest

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// faults are those of a route, above retries. One whose share is 0 is none.
func faults(f *networking.HTTPFaultInjection) (list []traffic.Fault) {
	if d := f.GetDelay(); d.GetFixedDelay() != nil {
		if p := delayPercent(d); p > 0 {
			list = append(list, traffic.Fault{Percent: p, Scope: traffic.ScopeCall, Delay: d.GetFixedDelay().AsDuration()})
		}
	}
	a := f.GetAbort()
	p := a.GetPercentage().GetValue()
	if p == 0 {
		return list
	}
	switch e := a.GetErrorType().(type) {
	case *networking.HTTPFaultInjection_Abort_HttpStatus:
		list = append(list, traffic.Fault{Percent: p, Scope: traffic.ScopeCall, Abort: &traffic.Abort{Status: int(e.HttpStatus)}})
	case *networking.HTTPFaultInjection_Abort_GrpcStatus:
		list = append(list, traffic.Fault{Percent: p, Scope: traffic.ScopeCall, Abort: &traffic.Abort{Code: e.GrpcStatus}})
	}
	return list
}

// delayPercent is the share of a delay; the field that is deprecated counts where the other one is not given.
func delayPercent(d *networking.HTTPFaultInjection_Delay) float64 {
	if d.GetPercentage() != nil {
		return d.GetPercentage().GetValue()
	}
	return float64(d.GetPercent())
}

// checkFault holds Istio's rules for faults.
func (x *istio) checkFault(o *Object, at string, f *networking.HTTPFaultInjection) {
	if f == nil {
		return
	}
	if f.GetDelay() == nil && f.GetAbort() == nil {
		x.wrong(o, at, "a delay, an abort or both are needed")
	}
	if d := f.GetDelay(); d != nil {
		x.checkDelay(o, at+".delay", d)
	}
	if a := f.GetAbort(); a != nil {
		x.checkAbort(o, at+".abort", a)
	}
}

func (x *istio) checkDelay(o *Object, at string, d *networking.HTTPFaultInjection_Delay) {
	x.checkPercent(o, at+".percentage", d.GetPercentage())
	x.checkDuration(o, at+".fixedDelay", d.GetFixedDelay())
	if n := d.GetPercent(); n < 0 || n > 100 {
		x.wrong(o, at+".percent", "%d: must be 0 to 100", n)
	} else if n > 0 {
		x.warn(o, at+".percent", "is deprecated: use percentage")
	}
	switch {
	case d.GetHttpDelayType() == nil:
		x.wrong(o, at, "needs a fixedDelay")
	case delayPercent(d) == 0:
		x.warn(o, at, "has no percentage above 0, so that no request is delayed")
	}
}

func (x *istio) checkAbort(o *Object, at string, a *networking.HTTPFaultInjection_Abort) {
	x.checkPercent(o, at+".percentage", a.GetPercentage())
	switch e := a.GetErrorType().(type) {
	case *networking.HTTPFaultInjection_Abort_HttpStatus:
		if e.HttpStatus < 200 || e.HttpStatus > 599 {
			x.wrong(o, at+".httpStatus", "%d: want 200 to 599", e.HttpStatus)
		}
	case *networking.HTTPFaultInjection_Abort_GrpcStatus:
		x.checkCode(o, at+".grpcStatus", e.GrpcStatus)
	case nil:
		x.warn(o, at, "has no httpStatus and no grpcStatus, so that no request is aborted")
		return
	}
	if a.GetPercentage().GetValue() == 0 {
		x.warn(o, at, "has no percentage above 0, so that no request is aborted")
	}
}

func (x *istio) checkCode(o *Object, at, name string) {
	code, known := call.CodeNamed(name)
	switch {
	case !known:
		var names []string
		for c := call.CanceledCode; c <= call.Unauthenticated; c++ {
			names = append(names, c.String())
		}
		x.unknown(o, at, "gRPC status", name, names)
	case code == call.OK:
		x.refuse(o, at, "OK is no failure, and an answer of one needs a message")
	}
}

// mirrors are who gets copies. One whose share is 0 is none.
func (x *istio) mirrors(v *virtualService, r *httpRoute) (list []traffic.Mirror) {
	if m := r.GetMirror(); m != nil {
		list = x.mirror(list, v, r, r.field+".mirror", m, mirrorPercent(r.HTTPRoute))
	}
	for i, m := range r.GetMirrors() {
		percent := 100.0
		if m.GetPercentage() != nil {
			percent = m.GetPercentage().GetValue()
		}
		list = x.mirror(list, v, r, index(r.field+".mirrors", i)+".destination", m.GetDestination(), percent)
	}
	return list
}

func (x *istio) mirror(list []traffic.Mirror, v *virtualService, r *httpRoute, field string, d *networking.Destination, percent float64) []traffic.Mirror {
	b := x.backend(v, r.o, field, d)
	if percent == 0 {
		return list
	}
	return append(list, traffic.Mirror{Service: b.Service, Subset: b.Subset, Port: b.Port, Percent: percent})
}

func mirrorPercent(r *networking.HTTPRoute) float64 {
	switch {
	case r.GetMirrorPercentage() != nil:
		return r.GetMirrorPercentage().GetValue()
	case r.GetMirrorPercent() != nil:
		return float64(r.GetMirrorPercent().GetValue())
	}
	return 100
}

// checkMirrors holds Istio's rules for mirrors.
func (x *istio) checkMirrors(o *Object, at string, r *networking.HTTPRoute) {
	if p := r.GetMirrorPercent(); p != nil {
		if p.GetValue() > 100 {
			x.wrong(o, at+".mirrorPercent", "%d: must be 0 to 100", p.GetValue())
		}
		x.warn(o, at+".mirrorPercent", "is deprecated: use mirrorPercentage")
	}
	x.checkShare(o, at+".mirrorPercentage", r.GetMirrorPercentage())
	if r.GetMirror() != nil {
		x.checkDestination(o, at+".mirror", r.GetMirror())
		if len(r.GetMirrors()) > 0 {
			x.wrong(o, at+".mirrors", "mirror and mirrors cannot be given together")
		}
	} else if r.GetMirrorPercentage() != nil && r.GetDelegate() == nil {
		x.warn(o, at+".mirrorPercentage", "has no effect without mirror")
	}
	for i, m := range r.GetMirrors() {
		item := index(at+".mirrors", i)
		if m.GetDestination() == nil {
			x.wrong(o, item, "a destination is needed")
			continue
		}
		x.checkDestination(o, item+".destination", m.GetDestination())
		x.checkShare(o, item+".percentage", m.GetPercentage())
	}
}

// checkShare is Istio's rule for the shares of mirrors, which may be as small as one likes.
func (x *istio) checkShare(o *Object, at string, p *networking.Percent) {
	if v := p.GetValue(); v < 0 || v > 100 {
		x.wrong(o, at, "%v: must be 0 to 100", v)
	}
}
