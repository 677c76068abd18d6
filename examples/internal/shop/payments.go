package shop

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/examples/internal/shoppb"
	"github.com/intramesh/intramesh/resilience"
)

// One instance of payments is the odd one: it takes longer, and refuses some charges before it has done anything.
const (
	oddPayments   = "payments-2"
	paymentWork   = 3 * time.Millisecond
	oddTimes      = 6 // as slow as the other
	refusesEach   = 8 // one charge of so many
	refusalReason = "too many charges in hand"
)

type payments struct {
	shoppb.UnimplementedPaymentsServer
	*node
	asked atomic.Int64
}

func newPayments(n *node) (*service, error) {
	if n.name == oddPayments {
		n.tempo.Store(oddTimes)
	}
	return n.grpcService(func(s grpc.ServiceRegistrar) {
		shoppb.RegisterPaymentsServer(s, &payments{node: n})
	})
}

// Charge takes the amount, once for each key.
//
// An error that wraps resilience.ErrShed says that nothing has been done yet, so the mesh of the caller asks another
// instance at once, whatever the method.
func (p *payments) Charge(ctx context.Context, req *shoppb.ChargeRequest) (*shoppb.ChargeReply, error) {
	if p.name == oddPayments && p.asked.Add(1)%refusesEach == 0 {
		return nil, fmt.Errorf("%s: %w", refusalReason, resilience.ErrShed)
	}
	if err := p.toil(ctx, paymentWork); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	row := paymentRow{Amount: req.GetAmount(), Receipt: p.receipt()}
	var stands paymentRow
	switch err := p.ledgers.payments.insert(req.GetKey(), row, &stands); {
	case errors.Is(err, errKey):
		return nil, status.Error(codes.InvalidArgument, err.Error())
	case err != nil:
		return nil, status.Error(codes.Internal, err.Error())
	case stands.Amount != row.Amount:
		return nil, status.Error(codes.AlreadyExists, "the key was used for another amount")
	}
	return &shoppb.ChargeReply{Receipt: stands.Receipt}, nil
}
