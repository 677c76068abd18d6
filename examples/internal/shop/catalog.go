package shop

import "fmt"

// items is how many things the shop sells, numbered from 1.
const items = 100

// item is what the shop knows of a thing. All of it follows from the number, so that the load generator can check every
// answer without asking anybody.
type item struct {
	ID    int32  `json:"id"`
	Name  string `json:"name"`
	Price int64  `json:"price"` // in cents
	Shelf string `json:"shelf"`
}

var kinds = [...]string{"kettle", "lamp", "chair", "blanket", "teapot", "clock", "basket"}

// itemOf is the item of a number, and whether the shop sells it.
func itemOf(id int32) (item, bool) {
	if id < 1 || id > items {
		return item{}, false
	}
	return item{
		ID:    id,
		Name:  fmt.Sprintf("%s no. %d", kinds[int(id)%len(kinds)], id),
		Price: 500 + int64(id)*37,
		Shelf: fmt.Sprintf("%c-%02d", 'A'+id%8, id),
	}, true
}

// reviewsOf are the reviews of an item: one to four of them.
func reviewsOf(id int32) []string {
	all := [...]string{"As described.", "Would buy again.", "Smaller than I thought.", "My cat likes it."}
	return all[:1+int(id)%len(all)]
}
