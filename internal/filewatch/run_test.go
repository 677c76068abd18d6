package filewatch

import (
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// looks runs w for a while and says at which times it looked, in milliseconds.
func looks(w *Watcher, poll, lasts time.Duration, changes func()) (at []int64) {
	start, stop := time.Now(), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(stop, poll, func() { at = append(at, time.Since(start).Milliseconds()) })
	}()
	changes()
	time.Sleep(lasts - time.Since(start))
	close(stop)
	<-ended
	return at
}

func expect(t *testing.T, got []int64, want ...int64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("looked at %v ms, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("looked at %v ms, want %v", got, want)
		}
	}
}

func TestRunPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, looks(nil, time.Second, 3500*time.Millisecond, func() {}), 1000, 2000, 3000)
	})
	synctest.Test(t, func(t *testing.T) { expect(t, looks(nil, -1, time.Hour, func() {})) })
}

// Changes are looked at when they have rested, and at some time even if they never do.
func TestRunWaitsUntilChangesRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{merged: make(chan struct{}, 1)}
		expect(t, looks(w, -1, 3*time.Second, func() {
			for range 3 { // at 0, 30 and 60 ms
				w.merged <- struct{}{}
				time.Sleep(30 * time.Millisecond)
			}
			time.Sleep(410 * time.Millisecond)
			for range 35 { // from 500 to 1520 ms
				w.merged <- struct{}{}
				time.Sleep(30 * time.Millisecond)
			}
		}), 110, 1500, 1570)
	})
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/file", "0123456789")
	if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(dir+"/file", 4); string(data) != "0123" || err != nil {
		t.Errorf("got %q, %v", data, err)
	}
	for path, want := range map[string]string{dir: "not a regular file", dir + "/pipe": "not a regular file", dir + "/none": "no such file"} {
		if _, err := Read(path, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// RunAhead works while changes settle, and look waits for the end of that.
func TestRunAhead(t *testing.T) {
	for took, want := range map[time.Duration]int64{20 * time.Millisecond: 80, 200 * time.Millisecond: 200} {
		synctest.Test(t, func(t *testing.T) {
			w := &Watcher{merged: make(chan struct{}, 1)}
			start, stop, ended := time.Now(), make(chan struct{}), make(chan struct{})
			var aheads, at []int64
			now := func() int64 { return time.Since(start).Milliseconds() }
			go func() {
				defer close(ended)
				w.RunAhead(stop, -1, func() { aheads = append(aheads, now()); time.Sleep(took) }, func() { at = append(at, now()) })
			}()
			w.merged <- struct{}{}
			time.Sleep(30 * time.Millisecond)
			w.merged <- struct{}{} // while ahead is at work or after it: the rest begins anew
			time.Sleep(time.Second)
			close(stop)
			<-ended
			expect(t, aheads, 0)
			expect(t, at, want)
		})
	}
}
