package memnet

import "net"

// addr is an address of the network. It calls itself tcp, because that is what it stands for.
type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

func (c *conn) opError(op string, err error) error {
	return opError(op, string(c.local), string(c.remote), err)
}

func opError(op, from, to string, err error) error {
	e := &net.OpError{Op: op, Net: "tcp", Addr: addr(to), Err: err}
	if from != "" {
		e.Source = addr(from)
	}
	return e
}
