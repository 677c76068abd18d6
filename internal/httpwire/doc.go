// Package httpwire is what HTTP needs beneath the call path: request bodies that can be sent again, responses whose end is
// noticed, a pool of connections for each endpoint, and what a transport's error says about whether the request was sent.
package httpwire
