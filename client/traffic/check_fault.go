package traffic

import (
	"math"

	"github.com/intramesh/intramesh/internal/call"
)

func (c *compiler) checkFaults(faults []Fault) {
	for i := range faults {
		c.item("Faults", i)
		c.checkFault(&faults[i])
		c.out()
	}
}

func (c *compiler) checkFault(f *Fault) {
	c.percent("Percent", f.Percent)
	if f.Scope != "" && f.Scope != ScopeCall && f.Scope != ScopeAttempt {
		c.bad("Scope", string(f.Scope), "must be call or attempt")
	}
	count := 0
	for _, is := range []bool{f.Delay != 0, f.Abort != nil, f.Body != nil, f.FromHeaders} {
		if is {
			count++
		}
	}
	if count != 1 {
		c.here(nil, "must have exactly one of Delay, Abort, Body and FromHeaders")
	}
	c.duration("Delay", f.Delay)
	c.checkAbort(f.Abort)
	c.checkBodyFault(f)
	c.checkMatches(f.Match, nil)
}

func (c *checker) checkAbort(a *Abort) {
	if a == nil {
		return
	}
	if (a.Status != 0) == (a.Code != "") {
		c.bad("Abort", nil, "must have exactly one of Status and Code")
	}
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		c.bad("Abort.Status", a.Status, "must be 200 to 599")
	}
	if a.Code != "" {
		if _, ok := codeOf(a.Code); !ok {
			c.bad("Abort.Code", a.Code, `must be the name of a gRPC code that is an error, such as "UNAVAILABLE"`)
		}
	}
}

// codeOf is the gRPC code of a name, OK apart.
func codeOf(name string) (call.Code, bool) {
	for code := call.CanceledCode; code <= call.Unauthenticated; code++ {
		if code.String() == name {
			return code, true
		}
	}
	return 0, false
}

func (c *checker) checkBodyFault(f *Fault) {
	b := f.Body
	if b == nil {
		return
	}
	if f.Scope == ScopeCall {
		c.bad("Scope", string(f.Scope), "a spoilt body is always a matter of the attempt")
	}
	count := 0
	for _, is := range []bool{b.Corrupt != 0, b.TruncateAfter != nil, b.ResetAfter != nil, b.BytesPerSecond != 0} {
		if is {
			count++
		}
	}
	if count != 1 {
		c.bad("Body", nil, "must have exactly one of Corrupt, TruncateAfter, ResetAfter and BytesPerSecond")
	}
	if math.IsNaN(b.Corrupt) || b.Corrupt < 0 || b.Corrupt > 1 {
		c.bad("Body.Corrupt", b.Corrupt, "must be a share, above 0 and at most 1")
	}
	for _, n := range []struct {
		field string
		bytes *int64
	}{{"Body.TruncateAfter", b.TruncateAfter}, {"Body.ResetAfter", b.ResetAfter}, {"Body.BytesPerSecond", &b.BytesPerSecond}} {
		if n.bytes != nil {
			c.atLeast0(n.field, *n.bytes)
		}
	}
}
