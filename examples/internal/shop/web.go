package shop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
)

// Time limits of web. The mesh carries what is left of them from hop to hop, and ends an attempt early enough for
// another: after half of what is left, or sooner where the policy says so (see mesh.go).
const (
	PageTime    = 5 * time.Second // for an answer to a visitor
	reviewsTime = 3 * time.Second // for what a page can do without
)

type web struct {
	*node
	http   *http.Client
	orders shoppb.OrdersClient
}

// newWeb is the service that visitors see.
func newWeb(n *node) (*service, error) {
	mesh, err := n.mesh("inventory", "reviews", "orders")
	if err != nil {
		return nil, err
	}
	conn, err := Dial(mesh, "orders")
	if err != nil {
		return nil, err
	}
	w := &web{node: n, http: &http.Client{Transport: mesh.Transport(nil)}, orders: shoppb.NewOrdersClient(conn)}
	mux := http.NewServeMux()
	mux.Handle("GET /items/{item}", page(w.item))
	mux.Handle("POST /orders", page(w.buy))
	mux.Handle("GET /orders/{key}", page(w.track))
	return n.httpService(mux)
}

var errNoItem = errors.New("no such item")

// page is a handler of web: what it returns is the answer. An error is the status 502, or 404 for errNoItem.
type page func(*http.Request) (any, error)

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), PageTime)
	defer cancel()
	switch body, err := p(r.WithContext(ctx)); {
	case errors.Is(err, errNoItem):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
	default:
		answer(w, body)
	}
}

// itemPage is an item as a visitor sees it. It is degraded where the reviews are missing.
type itemPage struct {
	Item     item     `json:"item"`
	Reviews  []string `json:"reviews"`
	Degraded bool     `json:"degraded,omitempty"`
}

// item asks for an item and for its reviews at the same time. It fails without the first, and does without the second.
func (w *web) item(r *http.Request) (any, error) {
	id := itemNumber(r)
	if _, ok := itemOf(id); !ok {
		return nil, errNoItem
	}
	reviews := make(chan []string, 1)
	go func() { reviews <- w.reviews(r.Context(), id) }()
	var p itemPage
	err := w.get(r.Context(), "inventory", "/stock", id, client.Options{}, &p.Item)
	p.Reviews = <-reviews
	p.Degraded = p.Reviews == nil
	return p, err
}

// reviews are nil where there are none to be had in time.
func (w *web) reviews(ctx context.Context, id int32) []string {
	var reviews []string
	if w.get(ctx, "reviews", "/reviews", id, client.Options{Timeout: reviewsTime}, &reviews) != nil {
		return nil
	}
	return reviews
}

// orderForm is what a buyer sends, and orderPage is what the answer to it is.
type (
	orderForm struct {
		Item     int32 `json:"item"`
		Quantity int32 `json:"quantity"`
	}
	orderPage struct {
		Key            string `json:"key"`
		Total          int64  `json:"total"`
		StockReceipt   string `json:"stock_receipt"`
		PaymentReceipt string `json:"payment_receipt"`
	}
)

func (w *web) buy(r *http.Request) (any, error) {
	var form orderForm
	if err := json.NewDecoder(r.Body).Decode(&form); err != nil {
		return nil, err
	}
	key := r.Header.Get("Idempotency-Key")
	var reply *shoppb.PlaceReply
	err := w.calls.call(r.Context(), "orders", "Place", client.Options{}, func(ctx context.Context) (err error) {
		reply, err = w.orders.Place(ctx, &shoppb.PlaceRequest{Key: key, Item: form.Item, Quantity: form.Quantity})
		return err
	})
	return orderPage{key, reply.GetTotal(), reply.GetStockReceipt(), reply.GetPaymentReceipt()}, err
}

// trackPage is the way that an order has come.
type trackPage struct {
	Stages []stage `json:"stages"`
}

type stage struct {
	Stage   string `json:"stage"`
	Receipt string `json:"receipt"`
}

func (w *web) track(r *http.Request) (any, error) {
	var p trackPage
	err := w.calls.call(r.Context(), "orders", "Track", client.Options{}, func(ctx context.Context) error {
		stream, err := w.orders.Track(ctx, &shoppb.TrackRequest{Key: r.PathValue("key")})
		if err != nil {
			return err
		}
		for {
			e, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			p.Stages = append(p.Stages, stage{e.GetStage(), e.GetReceipt()})
		}
	})
	return p, err
}

// get asks a service over HTTP.
func (w *web) get(ctx context.Context, service, path string, id int32, o client.Options, v any) error {
	return w.calls.call(ctx, service, "GET "+path, o, func(ctx context.Context) error {
		url := fmt.Sprintf("mesh://%s%s/%d", service, path, id)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		return fetch(w.http, r, v)
	})
}
