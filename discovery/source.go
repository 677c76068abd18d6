package discovery

import (
	"context"
	"errors"
	"strconv"
)

// ErrUnknownService says that the registry answered and knows no service of that name.
var ErrUnknownService = errors.New("discovery: unknown service")

// ErrNoEndpoint says that the registry answered and the service has no endpoints.
var ErrNoEndpoint = errors.New("discovery: no endpoint")

// Source tells where a service can be reached, and keeps telling.
//
// The rules, which discoverytest checks:
//
//   - Watch blocks until ctx ends and then returns nil, or returns an error when it cannot go on. The mesh starts it
//     again after an error, with back-off, and keeps the last set meanwhile.
//   - The first [Update] that is not a failure is the answer, even when it has no endpoints. It is a [Set] or [Absent];
//     a [Diff] needs a set before it.
//   - A set lists each address once, and its endpoints pass [Endpoint.Validate].
//   - Calls of fn for one Watch never overlap, and none runs after Watch has returned or ctx has ended.
//   - fn does not block. It keeps what it is handed: neither side changes it afterwards.
//   - Watch may be called for many services, and several times for one, at the same time.
type Source interface {
	// Watch reports the endpoints of service to fn until ctx ends. A service is a name, with ":port" where the caller
	// asked for a port.
	Watch(ctx context.Context, service string, fn func(Update)) error
}

// Lister is a [Source] whose names are configuration and not the state of a registry, such as [Static]. A client takes
// the hosts that it lists as mesh hosts.
type Lister interface {
	// Services lists the names, each once.
	Services() []string
}

// Kind says what an [Update] means.
type Kind uint8

const (
	// Set: Endpoints are all there are, none included.
	Set Kind = iota
	// Diff: Endpoints are added or replace those of the same address; those in Removed go.
	Diff
	// Absent: the registry says that there is no such service.
	Absent
	// Failed: there is nothing new to say because of Err; what was said before still holds.
	Failed
)

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

var kindNames = [...]string{Set: "set", Diff: "diff", Absent: "absent", Failed: "failed"}

// Update is a piece of news about one service.
type Update struct {
	Kind      Kind
	Endpoints []Endpoint
	Removed   []string // addresses; of a Diff only
	Err       error    // of Failed only
}
