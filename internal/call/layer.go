package call

// Layer acts at the beginning and at the end of something that has both: a call, an attempt, a request being served.
//
// It is a pair of functions and not a function around the next one, because a call outlives the function that makes it:
// it is over when its body or stream is over. A pair also needs no closure, so a layer that keeps no state costs no
// allocation; what a layer must remember lies in T.
type Layer[T any] interface {
	// Begin lets the thing pass, or refuses it with an error. End is not called after a refusal.
	Begin(T) error
	// End runs exactly once for each Begin that returned nil, in the opposite order. It may run on another goroutine
	// than Begin did.
	End(T)
}

// Refusable is told why a layer refused it, before the layers that had begun are ended: the outermost one wants to know.
type Refusable interface{ Refuse(err error) }

// Chain is an order of layers, made once when a client or server is made.
type Chain[T any] []Layer[T]

// Begin runs the layers from the first to the last. Where one refuses, those that had begun are ended.
func (ch Chain[T]) Begin(t T) error {
	for i, l := range ch {
		if err := l.Begin(t); err != nil {
			if r, ok := any(t).(Refusable); ok {
				r.Refuse(err)
			}
			ch[:i].End(t)
			return err
		}
	}
	return nil
}

// End runs from the last layer to the first.
func (ch Chain[T]) End(t T) {
	for i := len(ch) - 1; i >= 0; i-- {
		ch[i].End(t)
	}
}
