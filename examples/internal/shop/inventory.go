package shop

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// inventoryWork is how long looking something up takes, when nothing is wrong.
const inventoryWork = 2 * time.Millisecond

// newInventory is the service that knows the shelves: GET /stock/{item} says where an item lies, POST /stock/{item}
// takes some of it.
func newInventory(n *node) (*service, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stock/{item}", n.showStock)
	mux.HandleFunc("POST /stock/{item}", n.takeStock)
	return n.httpService(mux)
}

func (n *node) showStock(w http.ResponseWriter, r *http.Request) {
	it, ok := itemOf(itemNumber(r))
	if !ok {
		http.Error(w, "no such item", http.StatusNotFound)
		return
	}
	if n.toil(r.Context(), inventoryWork) != nil {
		return
	}
	answer(w, it)
}

// takeStock takes units off the shelf, once for each Idempotency-Key. That header is also what tells the mesh that the
// request may be repeated. The repetition may reach another instance, which finds the row of the first in the ledger.
func (n *node) takeStock(w http.ResponseWriter, r *http.Request) {
	it, ok := itemOf(itemNumber(r))
	var want struct {
		Quantity int32 `json:"quantity"`
	}
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil || !ok || want.Quantity < 1 {
		http.Error(w, "no such item or quantity", http.StatusBadRequest)
		return
	}
	if n.toil(r.Context(), inventoryWork) != nil {
		return
	}
	row := stockRow{Item: it.ID, Quantity: want.Quantity, Receipt: n.receipt()}
	var stands stockRow
	switch err := n.ledgers.stock.insert(r.Header.Get("Idempotency-Key"), row, &stands); {
	case errors.Is(err, errKey):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case stands.Item != row.Item || stands.Quantity != row.Quantity:
		http.Error(w, "the key was used for something else", http.StatusConflict)
	default:
		answer(w, stands)
	}
}

// itemNumber is the item in the path of a request, or 0, which no item has.
func itemNumber(r *http.Request) int32 {
	n, err := strconv.ParseInt(r.PathValue("item"), 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}
