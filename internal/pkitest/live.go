package pkitest

import (
	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/security"
)

// Live is an identity that a test replaces.
type Live struct {
	now snapshot.Value[security.Material]
}

// Watch implements [security.Identity].
func (l *Live) Watch() (*security.Material, <-chan struct{}) { return l.now.Watch() }

// Set replaces it.
func (l *Live) Set(m *security.Material) { l.now.Store(m) }
