package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
)

type orders struct {
	shoppb.UnimplementedOrdersServer
	*node
	http     *http.Client
	payments shoppb.PaymentsClient
}

// newOrders is the service that sells: it takes stock, charges the buyer and books the order.
func newOrders(n *node) (*service, error) {
	mesh, err := n.mesh("inventory", "payments")
	if err != nil {
		return nil, err
	}
	conn, err := Dial(mesh, "payments")
	if err != nil {
		return nil, err
	}
	o := &orders{node: n, http: &http.Client{Transport: mesh.Transport(nil)}, payments: shoppb.NewPaymentsClient(conn)}
	return n.grpcService(func(s grpc.ServiceRegistrar) { shoppb.RegisterOrdersServer(s, o) })
}

// Place does three things, each once for each key. So Place as a whole may be done again, however far it had come, and
// the order is booked last: where there is an order, there are stock and payment too.
func (o *orders) Place(ctx context.Context, req *shoppb.PlaceRequest) (*shoppb.PlaceReply, error) {
	it, ok := itemOf(req.GetItem())
	if !ok || req.GetQuantity() < 1 || !validKey.MatchString(req.GetKey()) {
		return nil, status.Error(codes.InvalidArgument, "no such item, quantity or key")
	}
	total := it.Price * int64(req.GetQuantity())
	stock, err := o.take(ctx, req)
	if err != nil {
		return nil, failed("stock", err)
	}
	payment, err := o.charge(ctx, req.GetKey(), total)
	if err != nil {
		return nil, failed("payment", err)
	}
	row := orderRow{Item: it.ID, Quantity: req.GetQuantity(), Total: total, Stock: stock, Payment: payment}
	var stands orderRow
	if err := o.ledgers.orders.insert(req.GetKey(), row, &stands); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if stands != row {
		return nil, status.Error(codes.AlreadyExists, "the key was used for another order")
	}
	return &shoppb.PlaceReply{Total: total, StockReceipt: stock, PaymentReceipt: payment}, nil
}

// take asks inventory for the stock. The Idempotency-Key lets the mesh repeat this POST.
func (o *orders) take(ctx context.Context, req *shoppb.PlaceRequest) (receipt string, err error) {
	var row stockRow
	err = o.calls.call(ctx, "inventory", "POST /stock", client.Options{}, func(ctx context.Context) error {
		body, err := json.Marshal(map[string]int32{"quantity": req.GetQuantity()})
		if err != nil {
			return err
		}
		url := fmt.Sprintf("mesh://inventory/stock/%d", req.GetItem())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Idempotency-Key", req.GetKey())
		return fetch(o.http, r, &row)
	})
	return row.Receipt, err
}

// charge asks payments for the money. That Charge may be repeated stands in shop.proto.
func (o *orders) charge(ctx context.Context, key string, amount int64) (receipt string, err error) {
	var reply *shoppb.ChargeReply
	err = o.calls.call(ctx, "payments", "Charge", client.Options{}, func(ctx context.Context) (err error) {
		reply, err = o.payments.Charge(ctx, &shoppb.ChargeRequest{Key: key, Amount: amount})
		return err
	})
	return reply.GetReceipt(), err
}

// Track sends the stages of an order.
func (o *orders) Track(req *shoppb.TrackRequest, stream grpc.ServerStreamingServer[shoppb.TrackEvent]) error {
	var row orderRow
	switch err := o.ledgers.orders.read(req.GetKey(), &row); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errKey):
		return status.Error(codes.NotFound, "no such order")
	case err != nil:
		return status.Error(codes.Internal, err.Error())
	}
	for _, e := range []*shoppb.TrackEvent{
		{Stage: "stock taken", Receipt: row.Stock},
		{Stage: "paid", Receipt: row.Payment},
		{Stage: "ordered", Receipt: req.GetKey()},
	} {
		if err := stream.Send(e); err != nil {
			return err
		}
	}
	return nil
}

// failed says which part of an order could not be had. The caller may try the whole again.
func failed(part string, err error) error {
	return status.Errorf(codes.Unavailable, "%s: %v", part, err)
}
