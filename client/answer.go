package client

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/intramesh/intramesh/internal/call"
)

// answered is the response where err is an answer that the policy gives in the server's place; nil where it is an error.
func (x *exchange) answered(err error) *http.Response {
	var e *call.Error
	if !errors.As(err, &e) || e.Answer == nil {
		return nil
	}
	return response(x.req, e.Answer)
}

// response is an answer as net/http has it.
func response(req *http.Request, a *call.Answer) *http.Response {
	header := make(http.Header)
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified { // which have none (RFC 9110, 8.6)
		header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	if a.Body != "" {
		header.Set("Content-Type", cmp.Or(a.ContentType, "text/plain; charset=utf-8"))
	}
	if a.Location != "" {
		header.Set("Location", a.Location)
	}
	resp := &http.Response{
		Status:     strconv.Itoa(a.Status) + " " + http.StatusText(a.Status),
		StatusCode: a.Status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        header,
		Body:          http.NoBody,
		ContentLength: int64(len(a.Body)),
		Request:       req,
	}
	if a.Body != "" && req.Method != http.MethodHead {
		resp.Body = io.NopCloser(strings.NewReader(a.Body))
	}
	return resp
}
