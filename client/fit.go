package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// fit reports why a request cannot be sent to anybody. A transport would say the same of every attempt at every endpoint,
// in words that nothing can tell from an endpoint's failure: so it is asked before the first.
func fit(req *http.Request) error {
	switch {
	case req.Header == nil:
		return errors.New("client: nil Request.Header")
	case req.URL.Host == "":
		return errors.New("client: no host in the URL")
	case req.Method != "" && !isToken(req.Method):
		return fmt.Errorf("client: invalid method %q", req.Method)
	}
	if err := fitFields(req.Header); err != nil {
		return err
	}
	return fitFields(req.Trailer)
}

func fitFields(h http.Header) error {
	for name, values := range h {
		if !isToken(name) {
			return fmt.Errorf("client: invalid header name %q", name)
		}
		for _, v := range values {
			if strings.ContainsFunc(v, isControl) {
				return fmt.Errorf("client: invalid value of header %q", name) // which may be a secret
			}
		}
	}
	return nil
}

// isControl holds what no header value may contain (RFC 9110, 5.5).
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken follows RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
