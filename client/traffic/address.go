package traffic

import (
	"strconv"
	"strings"
	"sync/atomic"
)

// address is a service and port of which each may be left to what was called.
type address struct {
	service string // without port
	port    uint16
	// last is the answer to the last question, which is nearly always the next one too; it saves putting strings together.
	last atomic.Pointer[resolved]
}

type resolved struct{ called, service string }

func (a *address) resolve(called string) string {
	if a.service == "" && a.port == 0 {
		return called
	}
	if l := a.last.Load(); l != nil && l.called == called {
		return l.service
	}
	name, port := splitPort(called)
	if a.service != "" {
		name = a.service
	}
	if a.port != 0 {
		port = a.port
	}
	l := &resolved{called: called, service: joinPort(name, port)}
	a.last.Store(l)
	return l.service
}

func joinPort(name string, port uint16) string {
	if port == 0 {
		return name
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return name + ":" + strconv.Itoa(int(port))
}
