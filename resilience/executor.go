package resilience

import "time"

// Executor is a policy made ready for calls to one destination, with the state of its budget, its breaker and its limits.
// It is safe for use by any number of goroutines; there should be one for each destination, since that is what all of these
// speak of. [Do] calls a function under it; the mesh's clients use the accessors.
type Executor struct {
	reply, idle time.Duration
	retries     int
	perTry      time.Duration
	waits       Backoff
	idempotent  bool
	on          conditions
	budget      *Budget // with defaults in the place of zeros; nil: none
	counts      bool    // the budget counts calls
	ledger      *ledger // of a budget by window; kept, but not asked, while there is none: see With
	tokens      *purse  // likewise, of a budget of tokens
	circuit     *circuit
	outlier     *Outlier // with defaults in the place of zeros
	limit       Limit    // likewise
	gated       bool     // there is something to count calls for
	gate        *gate    // kept, but not asked, while there is not: see With
}

// New makes a policy ready. The error names every field that cannot be honoured.
func New(p Policy) (*Executor, error) {
	if err := p.validate("Policy"); err != nil {
		return nil, err
	}
	e := &Executor{}
	if t := p.Timeout; t != nil {
		e.reply = max(0, or(t.Reply, defaultReply))
		e.idle = max(0, or(t.Idle, defaultIdle))
	}
	if r := p.Retry; r != nil {
		e.retries = or(r.Retries, defaultRetries)
		e.perTry = r.PerTry
		e.idempotent = r.Idempotent
		e.waits = r.Backoff.OrDefault()
		e.on, _ = parseConditions(r.On) // validate has seen it
	}
	if b := p.Budget; b != nil {
		e.begin(b.OrDefault())
	}
	if b := p.Breaker; b != nil {
		e.circuit = newCircuit(b.OrDefault())
	}
	if o := p.Outlier; o != nil {
		set := o.OrDefault()
		e.outlier = &set
	}
	if l := p.Limit; l != nil {
		e.limit, e.gated = l.OrDefault(), true
	}
	if e.gated {
		e.gate = new(gate)
		e.Govern()
	}
	return e, nil
}

// begin makes the budget ready.
func (e *Executor) begin(b Budget) {
	e.budget = &b
	switch b.Kind {
	case BudgetEnvoy:
		e.gated = true
	case BudgetTokens:
		e.tokens = newPurse(b, nil)
	default:
		e.ledger, e.counts = newLedger(b.Window), true
	}
}

// With is the same destination under a new policy. Calls and retries that the budget has counted stay counted where the
// new budget has the same window: a reload must not hand out a fresh budget in the middle of an outage, and neither must
// a budget that is taken away and put back. Of tokens the same share is left. A breaker keeps its state where its settings are the same; otherwise it starts
// anew, closed. Whatever is under way goes on being counted for the limits. e stays usable, and shares that state.
func (e *Executor) With(p Policy) (*Executor, error) {
	n, err := New(p)
	if err != nil {
		return nil, err
	}
	if e.ledger != nil && (n.ledger == nil || e.ledger.covers(n.budget.Window)) {
		n.ledger = e.ledger
	}
	switch {
	case e.tokens == nil:
	case n.tokens == nil || n.tokens.most == e.tokens.most:
		n.tokens = e.tokens
	default:
		n.tokens = newPurse(*n.budget, e.tokens)
	}
	if e.circuit != nil && n.circuit != nil && e.circuit.set == n.circuit.set {
		n.circuit = e.circuit
	}
	if e.gate != nil {
		n.gate = e.gate
	}
	return n, nil
}

// Reply is the time for a call whose caller gives none, see [Timeout]. 0: no limit. For the mesh's call path.
func (e *Executor) Reply() time.Duration { return e.reply }

// Idle is the longest silence on a body or stream, see [Timeout]. 0: no limit. For the mesh's call path.
func (e *Executor) Idle() time.Duration { return e.idle }

// Retries is how many attempts may follow the first; 0 where retries are off. For the mesh's call path.
func (e *Executor) Retries() int { return e.retries }

// Permits says whether a retry is thinkable at all for a process that is itself serving a retried attempt (passedDown) or
// is not: without a budget the former makes none. For the mesh's call path.
func (e *Executor) Permits(passedDown bool) bool {
	return e.retries > 0 && (e.budget != nil || !passedDown)
}

// Idempotent says that the policy declares every call to be safe to execute twice. For the mesh's call path.
func (e *Executor) Idempotent() bool { return e.idempotent }

// NeedsSent says whether it can matter to a retry if the failed attempt had been sent: to what is idempotent only where the
// policy lists its conditions. For the mesh's call path.
func (e *Executor) NeedsSent(idempotent bool) bool {
	return e.retries > 0 && !(e.on.safe && (idempotent || e.idempotent))
}

// PerTry is the time for one attempt, see [Retry]; 0: no limit but the call's own. For the mesh's call path.
//
// remaining is the time that the call has left, 0 where it has no limit. idempotent is false also for a request that cannot
// be sent again: cutting its only attempt short would gain nothing. tries counts the attempts begun, this one included; the
// last that the policy permits gets all that remains, unless the policy itself gives a number.
func (e *Executor) PerTry(remaining time.Duration, idempotent bool, tries int) time.Duration {
	switch {
	case e.retries == 0 || e.perTry < 0:
		return 0
	case e.perTry > 0 && remaining > 0:
		return min(e.perTry, remaining)
	case e.perTry > 0:
		return e.perTry
	case !idempotent || tries > e.retries || remaining <= 0:
		return 0
	}
	return max(remaining/2, 1)
}

// Deposit counts one call, whatever becomes of it: the budget allows retries in proportion. It takes no lock and does not
// allocate. For the mesh's call path.
func (e *Executor) Deposit(now time.Time) {
	if e.counts {
		e.ledger.deposit(now)
	}
}

// Credits reports whether calls that succeed are to be told to [Executor.Credit]. For the mesh's call path.
func (e *Executor) Credits() bool { return e.budget != nil && e.budget.Kind == BudgetTokens }

// Credit tells the budget that a call has succeeded: with the code OK, over HTTP with a status under 400. For the mesh's
// call path.
func (e *Executor) Credit() {
	if e.Credits() {
		e.tokens.add(thousandths(e.budget.TokenRatio))
	}
}
