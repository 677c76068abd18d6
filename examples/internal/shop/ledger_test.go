package shop

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
)

func newLedgers(t *testing.T) ledgers {
	t.Helper()
	l := ledgersIn(t.TempDir())
	if err := l.create(); err != nil {
		t.Fatal(err)
	}
	return l
}

// Many insert the same key at the same time: one wins, and all learn which.
func TestInsertOnce(t *testing.T) {
	const writers = 16
	stock := newLedgers(t).stock
	var all sync.WaitGroup
	stands := make([]stockRow, writers)
	for i := range writers {
		all.Go(func() {
			row := stockRow{Item: 1, Quantity: 1, Receipt: fmt.Sprint("writer-", i)}
			if err := stock.insert("key", row, &stands[i]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range stands {
		if s != stands[0] || s.Receipt == "" {
			t.Errorf("one writer was told %v, another %v", stands[0], s)
		}
	}
	if keys, err := stock.keys(); err != nil || len(keys) != 1 {
		t.Errorf("keys: %v, %v; want one", keys, err)
	}
}

func TestKeys(t *testing.T) {
	stock := newLedgers(t).stock
	var row stockRow
	for _, key := range []string{"", ".", "../orders/x", "a/b", "A", "a b", "a\x00", string(make([]byte, 65))} {
		if err := stock.insert(key, row, &row); !errors.Is(err, errKey) {
			t.Errorf("insert %q: %v", key, err)
		}
		if err := stock.read(key, &row); !errors.Is(err, errKey) {
			t.Errorf("read %q: %v", key, err)
		}
	}
	if err := stock.read("nobody", &row); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read of a key without row: %v", err)
	}
}
