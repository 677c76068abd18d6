package servergrpc

import (
	"context"
	"errors"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

type trailer = metadata.MD

// refusal is the status of a call that a layer did not let pass. The code comes from the one table.
func refusal(err error) error {
	if refused, ok := errors.AsType[*call.Error](err); ok {
		return status.Error(codes.Code(refused.Code), refused.Err.Error())
	}
	return status.Error(codes.Unavailable, err.Error())
}

// shed turns a handler's error that wraps [resilience.ErrShed] into UNAVAILABLE with the mark; others stay as they are.
func shed(err error, setTrailer func(trailer)) error {
	if !errors.Is(err, resilience.ErrShed) {
		return err
	}
	setTrailer(trailer{call.HeaderOverloaded: {"true"}})
	return status.Error(codes.Unavailable, err.Error())
}

// stripMark is md without the mark; md itself stays as it is, since it is the handler's.
func stripMark(md trailer) trailer {
	if len(md.Get(call.HeaderOverloaded)) == 0 {
		return md
	}
	md = md.Copy()
	md.Delete(call.HeaderOverloaded)
	return md
}

// attempt is the number of the attempt that is being served; 0 where the caller does not tell. What is malformed tells
// nothing.
func attempt(ctx context.Context) int {
	v := metadata.ValueFromIncomingContext(ctx, call.HeaderPreviousAttempts)
	if len(v) == 0 {
		return 0
	}
	previous, err := strconv.ParseUint(v[0], 10, 30)
	if err != nil {
		return 0
	}
	return int(previous) + 1
}
