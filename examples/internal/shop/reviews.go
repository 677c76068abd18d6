package shop

import "net/http"

// newReviews is the service that the shop can do without: GET /reviews/{item} says what buyers think.
func newReviews(n *node) (*service, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /reviews/{item}", func(w http.ResponseWriter, r *http.Request) {
		it, ok := itemOf(itemNumber(r))
		if !ok {
			http.Error(w, "no such item", http.StatusNotFound)
			return
		}
		answer(w, reviewsOf(it.ID))
	})
	return n.httpService(mux)
}
