package security

import (
	"context"
	"log/slog"
	"time"
)

// stages are the parts of a certificate's life, in percent, at which it should have been replaced. Issuers renew at a half
// (SPIRE, Istio) or at two thirds (cert-manager), so the first is worth a note only.
var stages = []struct {
	percent int
	level   slog.Level
	text    string
}{
	{50, slog.LevelInfo, "security: half of the identity's life is over"},
	{80, slog.LevelWarn, "security: the identity expires and has not been renewed"},
	{95, slog.LevelError, "security: the identity is about to expire and has not been renewed"},
	{100, slog.LevelError, "security: the identity has expired; connections are refused"},
}

// lookAgain bounds how long warn sleeps: the clock can be set, and a laptop can be.
const lookAgain = time.Minute

// warn logs when an identity reaches a stage of its life, each stage once, until stop is closed.
func warn(id Identity, log *slog.Logger, stop <-chan struct{}) {
	m, changed := id.Watch()
	told := 0
	for {
		reached, next := stageOf(m, time.Now())
		if reached > told {
			told = reached
			s := stages[reached-1]
			log.Log(context.Background(), s.level, s.text, "id", m.ID().String(), "not_after", m.NotAfter(),
				"left", time.Until(m.NotAfter()).Round(time.Second))
		}
		select {
		case <-stop:
			return
		case <-changed:
			m, changed = id.Watch()
			told = 0
		case <-time.After(next):
		}
	}
}

// stageOf is how many stages are reached at t, and how long to wait for the next one.
func stageOf(m *Material, t time.Time) (reached int, next time.Duration) {
	life := m.NotAfter().Sub(m.NotBefore())
	for i, s := range stages {
		left := m.NotBefore().Add(life / 100 * time.Duration(s.percent)).Sub(t)
		if left >= 0 {
			return i, min(left+time.Nanosecond, lookAgain) // after it: a certificate is valid at its last moment
		}
	}
	return len(stages), lookAgain
}
