package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A ledger is a table with a primary key that all processes of the shop share: what a database would be elsewhere. The
// table is a folder. A row is a symbolic link whose name is the key and whose target is the row's text.
//
// The kernel makes a link in one step: it is there with its whole text, or not at all, and a second one of the same
// name is refused. So "have I done this before?" and "done" are one operation. There is no moment between them in which
// a process could be killed, and no lock that a process could hold while it is stopped.
type ledger struct{ dir string }

// ledgers are the books of the shop.
type ledgers struct{ orders, stock, payments ledger }

func ledgersIn(dir string) ledgers {
	in := func(name string) ledger { return ledger{filepath.Join(dir, "books", name)} }
	return ledgers{orders: in("orders"), stock: in("stock"), payments: in("payments")}
}

// create makes the folders.
func (l ledgers) create() error {
	for _, t := range []ledger{l.orders, l.stock, l.payments} {
		if err := os.MkdirAll(t.dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// errKey refuses keys that could not be, or should not be, the name of a file.
var errKey = errors.New("a key is 1 to 64 of a-z, 0-9 and -")

var validKey = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// insert writes row under key unless the key has a row, and reads the row that stands into stands. Only the first insert
// of a key has an effect; every later one learns what the first one wrote.
func (l ledger) insert(key string, row, stands any) error {
	if !validKey.MatchString(key) {
		return fmt.Errorf("key %q: %w", key, errKey)
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	if err := os.Symlink(string(text), filepath.Join(l.dir, key)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.read(key, stands)
}

// read reads the row of a key; the error is fs.ErrNotExist where there is none.
func (l ledger) read(key string, row any) error {
	if !validKey.MatchString(key) {
		return fmt.Errorf("key %q: %w", key, errKey)
	}
	text, err := os.Readlink(filepath.Join(l.dir, key))
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), row)
}

// keys lists the keys that have a row.
func (l ledger) keys() ([]string, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.Name()
	}
	return keys, nil
}
