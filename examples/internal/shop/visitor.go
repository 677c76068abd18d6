package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// What visitors ask for, as the table at the end names it.
const (
	pageMethod  = "GET /items"
	buyMethod   = "POST /orders"
	trackMethod = "GET /orders"
)

// One visit in buysEach ends with a purchase, and one buyer in clicksTwice presses the button twice: two requests of the
// same key at the same time, of which one must not buy anything.
const (
	buysEach    = 2
	clicksTwice = 5
)

// visitor is one visitor, again and again.
type visitor struct {
	*load
	name string
	dice *rand.Rand
	buys int
}

// visit goes on until ctx ends. The requests do not end with it: whoever has begun to buy wants to know the outcome.
func (v *visitor) visit(ctx context.Context) {
	for v.pause(ctx) {
		it, _ := itemOf(1 + v.dice.Int32N(items))
		v.browse(it)
		if v.dice.IntN(buysEach) > 0 || !v.pause(ctx) {
			continue
		}
		v.buys++
		key, quantity := fmt.Sprintf("%s-%d", v.name, v.buys), 1+v.dice.Int32N(3)
		var clicks sync.WaitGroup
		for range 1 + v.more(clicksTwice) {
			clicks.Go(func() { v.buy(key, it, quantity) })
		}
		clicks.Wait()
		if v.pause(ctx) {
			v.track(key)
		}
	}
}

// more is 1 once in n times, else 0.
func (v *visitor) more(n int) int {
	if v.dice.IntN(n) == 0 {
		return 1
	}
	return 0
}

// pause waits for a moment, or says that it is time to leave.
func (v *visitor) pause(ctx context.Context) bool {
	t := time.NewTimer(time.Duration(v.dice.Int64N(int64(2 * pause))))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// browse looks at an item.
func (v *visitor) browse(it item) {
	excused := v.excused()
	start := time.Now()
	var page itemPage
	err := v.ask(http.MethodGet, fmt.Sprintf("/items/%d", it.ID), "", nil, &page)
	switch {
	case err != nil:
	case page.Item != it:
		err = fmt.Errorf("wrong item: %+v", page.Item)
	case !page.Degraded && !slices.Equal(page.Reviews, reviewsOf(it.ID)):
		err = fmt.Errorf("wrong reviews: %q", page.Reviews)
	}
	v.note(pageMethod, time.Since(start), err, page.Degraded, excused || v.excused())
}

// buy buys, and remembers what the answer was.
func (v *visitor) buy(key string, it item, quantity int32) {
	start := time.Now()
	var page orderPage
	err := v.ask(http.MethodPost, "/orders", key, orderForm{it.ID, quantity}, &page)
	total := it.Price * int64(quantity)
	if err == nil && (page.Key != key || page.Total != total || page.StockReceipt == "" || page.PaymentReceipt == "") {
		err = fmt.Errorf("wrong order: %+v", page)
	}
	if err == nil {
		err = v.remember(key, purchase{it.ID, quantity, total, page.StockReceipt, page.PaymentReceipt})
	} else {
		v.forget(key)
	}
	v.note(buyMethod, time.Since(start), err, false, false)
}

// track asks where an order is, and compares the answer with what the buyer was told.
func (v *visitor) track(key string) {
	p, bought := v.recall(key)
	if !bought {
		return
	}
	start := time.Now()
	var page trackPage
	err := v.ask(http.MethodGet, "/orders/"+key, "", nil, &page)
	want := []stage{{"stock taken", p.StockReceipt}, {"paid", p.PaymentReceipt}, {"ordered", key}}
	if err == nil && !slices.Equal(page.Stages, want) {
		err = fmt.Errorf("wrong stages: %v, want %v", page.Stages, want)
	}
	v.note(trackMethod, time.Since(start), err, false, false)
}

// ask sends a request to web and reads its answer.
func (v *visitor) ask(method, path, key string, form, answer any) error {
	var body bytes.Buffer
	if form != nil {
		if err := json.NewEncoder(&body).Encode(form); err != nil {
			return err
		}
	}
	r, err := http.NewRequest(method, v.base+path, &body)
	if err != nil {
		return err
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return fetch(v.http, r, answer)
}

var errTwice = errors.New("two answers to one purchase")

// remember keeps what a buyer was told; being told two things about one purchase is an error.
func (l *load) remember(key string, p purchase) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.told[key]; ok && first != p {
		return fmt.Errorf("%w: %v and %v", errTwice, first, p)
	}
	l.told[key] = p
	return nil
}

// forget marks a purchase of which the buyer does not know the outcome.
func (l *load) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[key] = true
}

func (l *load) recall(key string) (purchase, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.told[key]
	return p, ok
}
