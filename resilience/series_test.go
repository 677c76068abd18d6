package resilience

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

var (
	refused = call.Outcome{Err: errBroken, Code: call.Unavailable, Sent: call.SentNo}
	gateway = call.Outcome{Status: 503, Code: call.Unavailable}
	shed    = call.Outcome{Status: 503, Code: call.Unavailable, Overloaded: true}
)

func pushback(o call.Outcome, d time.Duration) call.Outcome {
	o.Pushback, o.HasPushback = d, true
	return o
}

func canceled(o call.Outcome) call.Outcome {
	o.Canceled = true
	return o
}

// Each rule by itself: everything else would allow the retry.
func TestAgain(t *testing.T) {
	standard, noBudget := Standard(), Policy{Retry: &Retry{}}
	asWritten := Policy{Retry: &Retry{On: []string{"503", "cancelled"}}, Budget: &Budget{}}
	declared := Policy{Retry: &Retry{Idempotent: true}, Budget: &Budget{}}
	post := Series{Replayable: true}
	get := Series{Replayable: true, Idempotent: true}
	retried := Series{Replayable: true, Idempotent: true, PassedDown: true}
	for _, tt := range []struct {
		name   string
		policy Policy
		series Series
		end    call.Outcome
		tries  int
		want   Stop
	}{
		{"refused", standard, post, refused, 1, 0},
		{"second retry", standard, post, refused, 2, 0},
		{"third retry", standard, post, refused, 3, StopTries},
		{"off", Policy{Budget: &Budget{}}, get, refused, 1, StopOff},
		{"success", standard, get, call.Outcome{Status: 200}, 1, StopOutcome},
		{"success at the last try", standard, get, call.Outcome{Status: 200}, 3, StopOutcome},
		{"gateway error of GET", standard, get, gateway, 1, 0},
		{"gateway error of POST", standard, post, gateway, 1, StopOutcome},
		{"gateway error of POST, declared", declared, post, gateway, 1, 0},
		{"gateway error of POST, as written", asWritten, post, gateway, 1, 0},
		{"refused, but not in the list", asWritten, post, refused, 1, StopOutcome},
		{"gone caller", standard, get, canceled(refused), 1, StopCanceled},
		{"gone caller, as written", asWritten, Series{Replayable: true, Protocol: call.GRPC},
			canceled(call.Outcome{Err: errBroken, Code: call.CanceledCode}), 1, StopCanceled},
		{"cancelled by the server, as written", asWritten, Series{Replayable: true, Protocol: call.GRPC},
			call.Outcome{Err: errBroken, Code: call.CanceledCode}, 1, 0},
		{"a gRPC token over HTTP", Policy{Retry: &Retry{On: []string{"unavailable"}}}, get, gateway, 1, StopOutcome},
		{"body gone", standard, Series{Idempotent: true}, refused, 1, StopReplay},
		{"do not", standard, get, pushback(refused, -1), 1, StopPushback},
		{"now", standard, get, pushback(refused, 0), 1, 0},
		{"in 300 s", standard, get, pushback(refused, 300*time.Second), 1, 0},
		{"in more than 300 s", standard, get, pushback(refused, 300*time.Second+1), 1, StopPushback},
		{"advice makes nothing safe", standard, post, pushback(gateway, 0), 1, StopOutcome},
		{"shed", standard, post, shed, 1, 0},
		{"shed below a retry", standard, retried, shed, 1, StopPassedDown},
		{"shed below a retry, as written", asWritten, retried, shed, 1, StopPassedDown},
		{"refused below a retry", standard, retried, refused, 1, 0},
		{"refused below a retry, no budget", noBudget, retried, refused, 1, StopPassedDown},
		{"refused, no budget", noBudget, get, refused, 1, 0},
		{"no budget left", Policy{Retry: &Retry{}, Budget: &Budget{PerSecond: -1}}, get, refused, 1, StopBudget},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExecutor(t, tt.policy)
			s := tt.series
			s.Stopped = StopOff // from before: must not stay
			wait, again := e.Again(&s, tt.end, tt.tries, time.Now())
			if s.Stopped != tt.want || again != (tt.want == 0) {
				t.Errorf("again = %v, stopped by %q; want %q", again, s.Stopped, tt.want)
			}
			if tt.end.HasPushback && again && wait != tt.end.Pushback {
				t.Errorf("the wait is %v, the server said %v", wait, tt.end.Pushback)
			}
			if !again && wait != 0 {
				t.Errorf("a wait of %v for nothing", wait)
			}
		})
	}
}

func TestAgainAtTheDeadline(t *testing.T) {
	e := newExecutor(t, Standard())
	now := time.Now()
	for rest, want := range map[time.Duration]Stop{
		time.Second + 1: 0, time.Second: StopDeadline, time.Second - 1: StopDeadline, -time.Second: StopDeadline,
	} {
		s := Series{Replayable: true, Deadline: now.Add(rest)}
		if _, again := e.Again(&s, pushback(refused, time.Second), 1, now); again != (want == 0) || s.Stopped != want {
			t.Errorf("a wait of 1 s with %v left: again = %v, stopped by %q, want %q", rest, again, s.Stopped, want)
		}
	}
}

// A retry that something else forbids is not charged.
func TestAgainAsksTheBudgetLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		e := newExecutor(t, Policy{Retry: &Retry{}, Budget: &Budget{PerSecond: 0.1}})
		get := Series{Replayable: true, Idempotent: true}
		late, sent, below := get, get, get
		late.Deadline, sent.Replayable, below.PassedDown = now, false, true
		for range 100 {
			e.Again(&late, refused, 1, now)
			e.Again(&sent, refused, 1, now)
			e.Again(&below, shed, 1, now)
			e.Again(&get, refused, 3, now)
			e.Again(&get, pushback(refused, time.Hour), 1, now)
			e.Again(&get, canceled(refused), 1, now)
		}
		if _, again := e.Again(&get, refused, 1, now); !again {
			t.Fatalf("the one retry is gone: stopped by %q", get.Stopped)
		}
		if _, again := e.Again(&get, refused, 1, now); again || get.Stopped != StopBudget {
			t.Errorf("a second one: again = %v, stopped by %q", again, get.Stopped)
		}
	})
}

// Every wait lies in 0 to its limit, and uses the whole range.
func TestWaits(t *testing.T) {
	for _, tt := range []struct {
		backoff Backoff
		limits  []time.Duration
	}{
		{Backoff{}, millis(25, 50, 100, 200, 250, 250)},
		{Backoff{Base: 10 * time.Millisecond, Max: 20 * time.Millisecond}, millis(10, 20, 20)},
		{Backoff{Base: time.Second}, millis(1000, 1000, 1000)},
		{Backoff{Base: 100 * time.Millisecond, Max: 100 * time.Millisecond}, millis(100, 100)},
	} {
		const calls = 2000
		e := newExecutor(t, Policy{Retry: &Retry{Retries: 10, Backoff: tt.backoff}})
		longest := make([]time.Duration, len(tt.limits))
		shortest := make([]time.Duration, len(tt.limits))
		for range calls {
			s := Series{Replayable: true}
			for i := range tt.limits {
				wait, _ := e.Again(&s, refused, i+1, time.Now())
				longest[i] = max(longest[i], wait)
				if shortest[i] == 0 || wait < shortest[i] {
					shortest[i] = wait
				}
			}
		}
		for i, limit := range tt.limits {
			// Of 2000 even draws none is above 98 % (or below 2 %) in one of 10^17 runs.
			if longest[i] > limit || longest[i] < limit/100*98 || shortest[i] < 0 || shortest[i] > limit/50 {
				t.Errorf("%+v: wait %d spans %v to %v, want 0 to %v", tt.backoff, i+1, shortest[i], longest[i], limit)
			}
		}
	}
}

func millis(list ...int64) (ds []time.Duration) {
	for _, n := range list {
		ds = append(ds, time.Duration(n)*time.Millisecond)
	}
	return ds
}

// gRFC A6: after the server's advice the back-off begins anew.
func TestAdviceResetsTheBackoff(t *testing.T) {
	e := newExecutor(t, Policy{Retry: &Retry{Retries: 10}})
	for range 1000 {
		s := Series{Replayable: true}
		for tries := range 5 {
			e.Again(&s, refused, tries, time.Now())
		}
		e.Again(&s, pushback(refused, time.Second), 6, time.Now())
		if wait, _ := e.Again(&s, refused, 7, time.Now()); wait > 25*time.Millisecond {
			t.Fatalf("a wait of %v after advice, want at most 25 ms", wait)
		}
	}
}

func TestAgainAllocates(t *testing.T) {
	e := newExecutor(t, Policy{Retry: &Retry{Retries: 10}, Budget: &Budget{PerSecond: 1e6}})
	for name, tt := range map[string]struct {
		end  call.Outcome
		want float64
	}{
		"success":                  {call.Outcome{Status: 200}, 0},
		"a final failure":          {call.Outcome{Status: 500}, 0},
		"a retry":                  {refused, 1}, // the back-off, once for all retries of a call
		"a retry that was advised": {pushback(refused, time.Second), 0},
	} {
		got := testing.AllocsPerRun(1000, func() {
			s := Series{Replayable: true, Idempotent: true}
			for tries := 1; tries < 5; tries++ {
				e.Again(&s, tt.end, tries, time.Now())
			}
		})
		if got != tt.want {
			t.Errorf("%s: %v allocations, want %v", name, got, tt.want)
		}
	}
}

func TestStopString(t *testing.T) {
	seen := map[string]bool{}
	for s := Stop(0); s <= StopBudget; s++ {
		if seen[s.String()] {
			t.Errorf("%d: %q twice", s, s)
		}
		seen[s.String()] = true
	}
	if StopBudget.String() != "budget" || StopOff.String() != "off" {
		t.Errorf("shifted: %q, %q", StopOff, StopBudget)
	}
}
