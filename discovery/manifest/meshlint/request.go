package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// parseRequest reads "GET http://orders/v1/orders/7" or "grpc orders/shop.v1.Orders/Place", with its headers.
func parseRequest(line string, headers []string) (q traffic.Request, err error) {
	method, target, ok := strings.Cut(strings.TrimSpace(line), " ")
	target = strings.TrimSpace(target)
	if !ok || target == "" || strings.ContainsAny(target, " \t\r\n") {
		return q, fmt.Errorf("-explain %q: want a method and a URL, 'GET http://orders/v1/orders/7'", line)
	}
	if strings.EqualFold(method, "grpc") {
		q, err = grpcRequest(target)
	} else {
		q, err = httpRequest(method, target)
	}
	if err != nil {
		return q, fmt.Errorf("-explain %q: %w", line, err)
	}
	return q, readHeaders(&q, headers)
}

// httpRequest is a request as package client asks for it.
func httpRequest(method, target string) (q traffic.Request, err error) {
	if !isToken(method) {
		return q, fmt.Errorf("%q is not a method of HTTP", method)
	}
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return q, errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mesh":
		return q, errors.New("the URL must begin with http://, https:// or mesh://")
	case u.Hostname() == "":
		return q, errors.New("the URL has no host")
	}
	if err := checkPort(u.Port()); err != nil {
		return q, err
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return traffic.Request{
		Scheme: u.Scheme, Service: u.Host, Authority: u.Host, Path: path, RawQuery: u.RawQuery, Method: method,
	}, nil
}

// grpcRequest is a call as package clientgrpc asks for it; the target may begin with "mesh:///".
func grpcRequest(target string) (q traffic.Request, err error) {
	target = strings.TrimPrefix(strings.TrimPrefix(target, "mesh://"), "/")
	host, path, _ := strings.Cut(target, "/")
	service, method, ok := strings.Cut(path, "/")
	if host == "" || !ok || service == "" || method == "" || strings.Contains(method, "/") {
		return q, errors.New("want a host, a service and a method, 'grpc orders/shop.v1.Orders/Place'")
	}
	u := &url.URL{Host: host}
	if again, err := url.Parse("//" + host); err != nil || again.Host != host || u.Hostname() == "" {
		return q, fmt.Errorf("%q is not a host", host)
	}
	if err := checkPort(u.Port()); err != nil {
		return q, err
	}
	return traffic.Request{GRPC: true, Service: host, Authority: host, Path: "/" + path, Method: "POST"}, nil
}

func checkPort(text string) error {
	if text == "" {
		return nil
	}
	if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q is not a port", text)
	}
	return nil
}

// header is the headers of a request.
type header http.Header

// Lookup gives the first value of a header.
func (h header) Lookup(_, canonical string) (string, bool) {
	if v := h[canonical]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// readHeaders adds headers of the form "name: value". Host is the authority, as with curl.
func readHeaders(q *traffic.Request, lines []string) error {
	all := header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if name = strings.TrimSpace(name); !ok || !isToken(name) {
			return fmt.Errorf("-H %q: want 'name: value'", line)
		}
		if strings.EqualFold(name, "host") {
			q.Authority = value
			continue
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		all[key] = append(all[key], value)
	}
	q.Header = all
	return nil
}

// isToken says whether a text can be the name of a method or a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(s[i])) {
			return false
		}
	}
	return s != ""
}
