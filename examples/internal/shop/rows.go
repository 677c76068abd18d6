package shop

// stockRow says that units of an item were taken off the shelf.
type stockRow struct {
	Item     int32  `json:"item"`
	Quantity int32  `json:"quantity"`
	Receipt  string `json:"receipt"`
}

// paymentRow says that a buyer was charged.
type paymentRow struct {
	Amount  int64  `json:"amount"`
	Receipt string `json:"receipt"`
}

// orderRow says that a purchase is complete, and repeats the receipts of its parts.
type orderRow struct {
	Item     int32  `json:"item"`
	Quantity int32  `json:"quantity"`
	Total    int64  `json:"total"`
	Stock    string `json:"stock"`
	Payment  string `json:"payment"`
}
