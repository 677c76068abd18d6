package shop

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"google.golang.org/grpc/codes"

	"github.com/intramesh/intramesh/client"
)

// reason puts into words why an attempt brought no answer.
func reason(a client.Attempt) string {
	switch {
	case errors.Is(a.Err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(a.Err, context.DeadlineExceeded), a.Code == uint32(codes.DeadlineExceeded):
		return "no reply in time"
	case a.Status != 0:
		return fmt.Sprintf("status %d", a.Status)
	case a.Outcome == "refused":
		return "refused before work"
	}
	return "connection broken"
}
