package shop

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/security/ca"
)

// Authority is who says who the processes of the shop are.
func (sh *Shop) Authority() *ca.CA { return sh.issuer.authority }

// Strike gives a process no further certificates.
func (sh *Shop) Strike(p *Process) { sh.issuer.strike(p.Name) }

var errStale = errors.New("a process does not take its new certificate")

// Renew gives every process a new certificate, and the roots of now. It returns when all of them use both.
func (sh *Shop) Renew(ctx context.Context) error {
	if err := sh.issuer.renew(); err != nil {
		return err
	}
	return Until(ctx, errStale, func() (bool, error) {
		for _, p := range sh.Running() {
			s, err := p.Ask()
			if err != nil || s.Serial != sh.issuer.serial(p.Name) {
				return false, err
			}
		}
		return true, nil
	})
}

// Renewed says how requests came through a renewal: by the certificates that their callers have now, or by earlier ones.
func (sh *Shop) Renewed(s Events) string {
	latest := sh.issuer.latest()
	old, now := 0, 0
	for key, e := range s {
		switch serial, ok := strings.CutPrefix(key, served+" "); {
		case !ok:
		case latest[serial]:
			now += e.Times
		default:
			old += e.Times
		}
	}
	return fmt.Sprintf("requests under earlier certificates %d, under the last %d", old, now)
}
