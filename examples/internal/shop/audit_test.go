package shop

import "testing"

// Each case changes books that balance, and says what the audit must find.
func TestAudit(t *testing.T) {
	order := orderRow{Item: 7, Quantity: 2, Total: 1518, Stock: "inventory-1/1", Payment: "payments-1/1"}
	stock := stockRow{Item: 7, Quantity: 2, Receipt: "inventory-1/1"}
	payment := paymentRow{Amount: 1518, Receipt: "payments-1/1"}
	p := purchase{7, 2, 1518, "inventory-1/1", "payments-1/1"}
	for name, tc := range map[string]struct {
		change           func(b *books)
		lost, duplicated int
	}{
		"balanced":           {change: func(*books) {}},
		"no order":           {change: func(b *books) { b.order = nil }, lost: 1},
		"no stock taken":     {change: func(b *books) { b.stock = nil }, lost: 1},
		"not paid":           {change: func(b *books) { b.payment = nil }, lost: 1},
		"nothing at all":     {change: func(b *books) { b.order, b.stock, b.payment = nil, nil, nil }, lost: 3},
		"paid twice":         {change: func(b *books) { b.payment.Receipt = "payments-2/1" }, duplicated: 1},
		"paid too much":      {change: func(b *books) { b.payment.Amount++ }, duplicated: 1},
		"taken too much":     {change: func(b *books) { b.stock.Quantity++ }, duplicated: 1},
		"nobody was told":    {change: func(b *books) { clear(b.told) }, duplicated: 3},
		"the buyer saw fail": {change: func(b *books) { clear(b.told); b.open["key"] = true }},
	} {
		t.Run(name, func(t *testing.T) {
			o, s, pay := order, stock, payment
			b := &books{&o, &s, &pay, map[string]purchase{"key": p}, map[string]bool{}}
			tc.change(b)
			lost, duplicated, err := b.write(t).audit(b.told, b.open)
			if err != nil || lost != tc.lost || duplicated != tc.duplicated {
				t.Errorf("lost %d, duplicated %d, %v; want %d, %d", lost, duplicated, err, tc.lost, tc.duplicated)
			}
		})
	}
}

type books struct {
	order   *orderRow
	stock   *stockRow
	payment *paymentRow
	told    map[string]purchase
	open    map[string]bool
}

func (b *books) write(t *testing.T) ledgers {
	t.Helper()
	l := newLedgers(t)
	insert := func(t *testing.T, table ledger, row, stands any) {
		t.Helper()
		if err := table.insert("key", row, stands); err != nil {
			t.Fatal(err)
		}
	}
	if b.order != nil {
		insert(t, l.orders, b.order, new(orderRow))
	}
	if b.stock != nil {
		insert(t, l.stock, b.stock, new(stockRow))
	}
	if b.payment != nil {
		insert(t, l.payments, b.payment, new(paymentRow))
	}
	return l
}
