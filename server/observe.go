package server

import (
	"cmp"
	"net/http"
	"net/textproto"
	"strconv"

	"github.com/intramesh/intramesh/internal/call"
)

// observe lets the observer ask about the request; where there is none this costs nothing.
func (w *response) observe(r *http.Request) {
	if w.server.core.Observed() {
		w.request = r
		w.serve.Request = w
		w.serve.Scheme = scheme(r)
	}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// conclude says how the request ended, before the layers are ended.
func (w *response) conclude(panicked, aborted bool) {
	c := &w.serve
	c.Aborted = aborted
	switch {
	case w.hijacked: // the handler spoke for itself; a status that it had written before counts
	case panicked && !aborted && !w.wrote:
		c.Status = http.StatusInternalServerError
	case panicked && !w.wrote: // nothing was sent
	case c.Status == 0:
		c.Status = http.StatusOK
	}
	if c.Status != 0 {
		c.Code = call.CodeOfHTTP(c.Status)
	}
	if w.request != nil {
		c.Route = w.request.Pattern
	}
}

// Values are all values of a request header.
func (w *response) Values(name string) []string {
	return w.request.Header[canonical(name)]
}

// The names that every request is asked for; to spell another one costs an allocation.
var (
	traceParentName = http.CanonicalHeaderKey(call.HeaderTraceParent)
	traceStateName  = http.CanonicalHeaderKey(call.HeaderTraceState)
	baggageName     = http.CanonicalHeaderKey(call.HeaderBaggage)
)

func canonical(name string) string {
	switch name {
	case call.HeaderTraceParent:
		return traceParentName
	case call.HeaderTraceState:
		return traceStateName
	case call.HeaderBaggage:
		return baggageName
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// Describe tells what spans say of a request.
func (w *response) Describe() call.Detail {
	r := w.request
	d := call.Detail{
		Scheme: scheme(r), Host: r.Host, Remote: r.RemoteAddr, Path: r.URL.Path, Query: r.URL.RawQuery,
		UserAgent: r.UserAgent(), Version: strconv.Itoa(r.ProtoMajor),
	}
	if r.ProtoMajor == 1 {
		d.Version += "." + strconv.Itoa(r.ProtoMinor)
	}
	d.Host = cmp.Or(d.Host, r.URL.Host)
	return d
}
