package shop

import (
	"errors"
	"io/fs"
)

// purchase is what a buyer was told: the answer that the shop must stand by.
type purchase struct {
	Item           int32
	Quantity       int32
	Total          int64
	StockReceipt   string
	PaymentReceipt string
}

// audit compares what buyers were told with what the ledgers say. Purchases, orders, stock taken and payments must be
// the same set of keys, and each key the same item, amount and receipts everywhere.
//
// lost counts what a ledger does not have although the buyer was told so. duplicated counts what was done beyond that:
// rows that no purchase explains, and rows of another receipt than the buyer's, which means that the work was done twice.
//
// The purchases in open failed before the buyer's eyes, who knows nothing of them; they are counted as failures already.
func (l ledgers) audit(told map[string]purchase, open map[string]bool) (lost, duplicated int, err error) {
	for key, p := range told {
		for _, check := range []func(string, purchase) (found, same bool, err error){l.order, l.taken, l.paid} {
			found, same, err := check(key, p)
			switch {
			case err != nil:
				return 0, 0, err
			case !found:
				lost++
			case !same:
				duplicated++
			}
		}
	}
	for _, t := range []ledger{l.orders, l.stock, l.payments} {
		keys, err := t.keys()
		if err != nil {
			return 0, 0, err
		}
		for _, key := range keys {
			if _, ok := told[key]; !ok && !open[key] {
				duplicated++
			}
		}
	}
	return lost, duplicated, nil
}

func (l ledgers) order(key string, p purchase) (found, same bool, err error) {
	var row orderRow
	found, err = lookup(l.orders, key, &row)
	return found, row == orderRow{p.Item, p.Quantity, p.Total, p.StockReceipt, p.PaymentReceipt}, err
}

func (l ledgers) taken(key string, p purchase) (found, same bool, err error) {
	var row stockRow
	found, err = lookup(l.stock, key, &row)
	return found, row == stockRow{p.Item, p.Quantity, p.StockReceipt}, err
}

func (l ledgers) paid(key string, p purchase) (found, same bool, err error) {
	var row paymentRow
	found, err = lookup(l.payments, key, &row)
	return found, row == paymentRow{p.Total, p.PaymentReceipt}, err
}

func lookup(t ledger, key string, row any) (found bool, err error) {
	err = t.read(key, row)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
