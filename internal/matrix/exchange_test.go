package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// exchange is everything about some calls that anybody could notice, as plain data.
type exchange struct {
	Answers  []answer  // what the caller got
	Arrived  []sight   // what the handler got, a request each
	GaveUp   int       // silent handlers that were told that nobody waits any more
	Conns    int       // connections that the peer accepted
	Dialed   int       // connections that the caller's own dialer opened
	Called   int       // how often a function that stands in the Config was called
	Attempts []attempt // what stood beneath the mesh on the caller's side saw; none where nothing can stand there
	Logs     []string  // what the process's logger heard
	Own      []string  // what the logger of the Config heard
}

// answer is what the caller of one call got.
type answer struct {
	Proto   string
	Status  int
	Header  map[string][]string
	Trailer map[string][]string
	Body    []string // messages, lines, or the body as a whole
	Length  int64    // the response's ContentLength

	Code    codes.Code
	Message string
	Details []string

	Err  string // why there is no answer, in one word
	Took time.Duration
}

// sight is one request as its handler sees it.
type sight struct {
	Method    string // and target
	Proto     string
	Authority string
	Header    map[string][]string // HTTP headers or gRPC metadata, all there are
	Framing   []string            // the transfer encoding
	Length    int64
	Body      []string
	Left      time.Duration // until the context's deadline; 0 if there is none
}

// attempt is one attempt as a transport or an interceptor beneath the mesh sees it.
type attempt struct {
	Left  time.Duration // until its context's deadline; 0 if there is none
	Value any           // what the caller had put into the context
}

// mark is what callers put into their contexts, to see whether it gets through.
type mark struct{}

func attemptOf(ctx context.Context) attempt {
	return attempt{Left: left(ctx), Value: ctx.Value(mark{})}
}

// left is the time that a context has, to the millisecond, as coarse as the wire may be.
func left(ctx context.Context) time.Duration {
	at, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return time.Until(at).Round(time.Millisecond)
}

// ofHTTP reads a response, body apart.
func ofHTTP(resp *http.Response) answer {
	return answer{Proto: resp.Proto, Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength}
}

// ofGRPC reads the end of a call.
func ofGRPC(body []string, header, trailer metadata.MD, err error) answer {
	s := status.Convert(err)
	a := answer{Body: body, Header: header, Trailer: trailer, Code: s.Code(), Message: s.Message()}
	for _, d := range s.Details() {
		a.Details = append(a.Details, fmt.Sprint(d))
	}
	return a
}

// word is an error without what may differ between two runs.
func word(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "broken"
}
