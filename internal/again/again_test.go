package again_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/again"
)

// TestBackOff grows from about a second to about thirty, and never ends.
func TestBackOff(t *testing.T) {
	b := again.BackOff()
	want := time.Second
	for i := range 20 {
		if d := b.NextBackOff(); d < want*79/100 || d > want*121/100 {
			t.Errorf("wait %d: %v, want %v, 20 %% to either side", i, d, want)
		}
		want = min(want*16/10, 30*time.Second)
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !again.Wait(t.Context(), time.Minute) || time.Since(began) != time.Minute {
			t.Errorf("waited %v", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if again.Wait(ctx, time.Minute) {
			t.Error("the context had ended")
		}
	})
}
