// Package resilience keeps calls alive and does no harm: time limits, retries, a budget that keeps retries from making an
// outage worse, circuit breakers, outlier detection and limits on what is under way.
//
// # Policy
//
// A [Policy] is data. A part that is nil is off; a number that is zero is the default which its comment gives. [Standard]
// switches on what suits most services. A [Config] holds one policy for each service that needs its own. An [Executor] is
// a policy made ready, with the state of one destination's budget and breaker. A client of the mesh makes one for each
// destination; [Do] calls any function under it, so the package is of use without the rest of the mesh.
//
// # What is retried, and why not more
//
// A request that may have been executed is not repeated, unless somebody who knows says that it may be. Without
// [Retry].On these are retried:
//
//   - what was certainly not executed: the request was never written, the peer's protocol handed it back (HTTP/2
//     REFUSED_STREAM), or the server said that it refused before any work (x-envoy-overloaded, [ErrShed]);
//   - for idempotent requests also 502, 503, 504 and UNAVAILABLE, a connection that broke, and the end of PerTry.
//
// 500 and INTERNAL are not in the list: a server that fails on a request will most likely fail on it again. Neither are 429
// and RESOURCE_EXHAUSTED: a server that has too much to do is not helped by more of it, unless it says that another may
// try. Idempotent are GET, HEAD, OPTIONS, TRACE, PUT and DELETE, requests with an Idempotency-Key, gRPC methods whose proto
// says so, and whatever the policy or the call declares.
//
// An On that is there is obeyed as written, with the meaning that each token has in Envoy, for every method. Then nothing
// else is retried, not even what would be safe. Over HTTP the gRPC tokens match nothing. Over gRPC the HTTP tokens match
// only what never reached a server and the end of PerTry; a connection that broke is "unavailable" there.
//
// What a server says about the next attempt (Retry-After, grpc-retry-pushback-ms) replaces the wait or stops the retry,
// up to 300 s. It never makes a retry safe that was not.
//
// # Waits
//
// Before the first retry the wait is a random time from 0 to 25 ms; the limit doubles up to 250 ms (Envoy's numbers). Full
// jitter matters more than the limit: callers that failed together must not return together. A wait that would not
// end before the call's deadline is not begun: the caller gets the last outcome at once.
//
// # Budget
//
// Retries multiply load exactly when there is too much of it. With two retries, a destination that fails altogether sees
// three times its usual traffic, and three such layers see 27 times. A [Budget] bounds that: over its window (10 s) a
// destination gets at most 20 % of its calls in retries, and 10 a second whatever the traffic, so that small services
// can retry at all (the numbers of Finagle and of the Gateway API). Beyond that, the last outcome stands. A destination
// without any calls so far has the whole reserve at hand: 100 retries. A budget that counts calls cannot be exceeded by
// bursts, unlike a limit on retries in flight.
//
// The window moves in ten steps, and every retry leaves it no sooner than after its whole length. A new policy does not
// forget what has been spent.
//
// That is [BudgetWindow]. The two other meanings that budgets have elsewhere are [BudgetEnvoy], a share of what is under way,
// and [BudgetTokens], which failures take and successes give back; a policy that is written in the terms of Envoy, Istio or
// gRPC keeps its meaning. See there for a table of them, with their sources.
//
// # Amplification
//
// The number of an attempt travels with it. A process that is itself serving a retried attempt does not multiply it: it
// retries only within a budget (a policy without one has no retries then), and not what was refused because of load.
// That refusal is passed up, to the caller who has more choices.
//
// # Breaker and outlier detection
//
// A service can fail in two ways, and each has its own remedy. One of its endpoints fails, while others could take its
// calls: an [Outlier] policy takes the endpoint out. The service fails whichever endpoint is asked, because its database is
// gone or a release is broken: a [Breaker] then stops the calls, which would only wait, and gives the service rest. The
// breaker counts calls after their retries, so an endpoint whose failures are rescued elsewhere never opens it.
//
// An open breaker answers with [ErrOpen], at once and without an attempt. After its open time (5 s, doubled each time up to
// 60 s) it lets one call through, the probe: success closes it, failure opens it for longer, and what says nothing (the
// caller gave up) leaves it to the next call. Calls count when they are over, those that took longer than the window too.
// Over HTTP a failure counts when the headers say so, a success when the body is over; a stream counts by how it ended. A
// probe is judged by its headers, or by the first message of its stream, because others wait for it.
//
// An endpoint is ejected after five failures in a row, for 30 s times the number of its ejections up to 300 s, and 0 to 10 %
// more; that number falls by one in each interval (10 s) in which it is well. When the time is over one call goes there as a
// probe. At most 10 % of a service's endpoints are out at the same time, but one may always be, and the last one never. If
// more than half are out after all (with a MaxPercent above that), ejections are ignored: what is left could not carry the
// load. (MinHealthPercent.) What is known of an endpoint survives when it leaves the list and comes back, a change of policy, and reconnects;
// HTTP and gRPC share it. Calls for which nothing else is left go to an ejected endpoint rather than nowhere.
//
// Of Envoy's other ways of detection, [SuccessRate] compares endpoints with one another, [FailurePercent] with a number, and
// SplitLocalOrigin counts what has no answer apart from what is a bad one. Numbers and formulas are Envoy's
// (config.cluster.v3.OutlierDetection, and the chapter on outlier detection of its manual); what is different here:
//
//	                    Envoy                                  here
//	return              when the time is over                  then one call goes there as a probe first
//	MaxPercent          to the letter: 10 % of nine is none    one at least, the last one never; Strict: to the letter
//	no place            the row begins anew                    the next failure asks again
//	shorter list        readmits nobody                        readmits whom it has become too short for; Strict: nobody
//	501, refusals       5xx                                    answers of an endpoint that is well
//	too many at once    in no particular order                 those that did worst first
//	split: no answer    only before or after a connection      every attempt that brought no answer, as the manual says
//
// Istio's consecutive5xxErrors, consecutiveGatewayErrors, splitExternalLocalOriginErrors, consecutiveLocalOriginFailures,
// interval, baseEjectionTime and maxEjectionPercent are the fields of the like names with Strict and a Jitter of -1;
// its minHealthPercent is MinHealthPercent, where its 0 is -1 here.
//
// Not the peer's failure, and so counted by neither, is what the caller cancelled, and what had less time than the endpoint
// usually takes. 429 and RESOURCE_EXHAUSTED are answers. A refusal before work (x-envoy-overloaded) is an answer of the
// endpoint, which is well enough to refuse; for the breaker it is a failure of the service, which has no room anywhere.
//
// # Limits
//
// A [Limit] bounds what is under way to a destination at the same time: calls, retries, connections over HTTP/1.1, and those
// that wait for one. They are the thresholds of Envoy's circuit breakers and of Istio's connectionPool, for each process that
// calls; a destination that ten processes call sees ten times as much. A call is let in, or refused with [ErrLimited], before
// its first attempt and before the breaker hears of it; its retries need no further place, so a call that was let in is never
// refused halfway. Nothing that is refused was sent, and nobody here sends it again.
//
// # Time
//
// [Timeout].Reply bounds calls that come without a deadline: 15 s as in Envoy, until there are response headers or a unary
// reply. It covers neither bodies nor streams; Idle does, 5 min of silence as in Envoy. [Retry].PerTry bounds an attempt.
// Without a number it is half of the time that remains for calls that can be repeated, so that an endpoint which has
// stopped costs one attempt and not the call; the last attempt gets all that remains.
package resilience
