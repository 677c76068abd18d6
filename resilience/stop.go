package resilience

// Stop is why no further attempt follows, for explanations and metrics. 0: one does.
type Stop uint8

// The reasons there are.
const (
	StopOff        Stop = iota + 1 // the policy has no retries
	StopCanceled                   // the caller gave up
	StopOutcome                    // the outcome is not one that the policy repeats; success is such an outcome
	StopTries                      // all attempts that the policy permits were made
	StopReplay                     // the request cannot be sent again
	StopPushback                   // the server said "do not", or named a wait of more than 300 s
	StopPassedDown                 // this process serves a retried attempt, and must not multiply it
	StopDeadline                   // the wait would not end before the call's deadline
	StopBudget                     // the retry budget is used up
	StopLimit                      // as many retries as Limit.Retries permits are under way
)

var stops = [...]string{
	"", "off", "canceled", "outcome", "tries", "not_replayable", "pushback", "passed_down", "deadline", "budget", "limit",
}

// String is one word, fit for a metric's label; empty for 0.
func (s Stop) String() string { return stops[s] }
