package servergrpc

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// wrote is what a server might write, with a border after each of the marked lengths.
func wrote(t testing.TB) (p []byte, borders map[int]bool) {
	t.Helper()
	var buf, block bytes.Buffer
	fr := http2.NewFramer(&buf, nil)
	borders = map[int]bool{}
	do := func(err error, border bool) {
		if err != nil {
			t.Fatal(err)
		}
		if border {
			borders[buf.Len()] = true
		}
	}
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	do(fr.WriteSettings(), true)
	do(fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes()}), false)
	do(fr.WriteContinuation(1, false, nil), false)
	do(fr.WriteContinuation(1, true, nil), true)
	do(fr.WriteData(1, false, bytes.Repeat([]byte("x"), 300)), true)
	do(fr.WriteWindowUpdate(0, 1), true)
	do(fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}), true)
	return buf.Bytes(), borders
}

// Whatever the pieces, a border is found where one is, and nowhere else.
func TestBorders(t *testing.T) {
	p, borders := wrote(t)
	var whole frames
	for i := range p {
		whole.pass(p[i : i+1])
		if whole.border() != borders[i+1] {
			t.Errorf("after %d bytes: border %v", i+1, !borders[i+1])
		}
	}
	for i := range len(p) + 1 {
		var f frames
		f.pass(p[:i])
		if f.border() != borders[i] {
			t.Errorf("the first %d bytes at once: border %v", i, !borders[i])
		}
	}
	if whole.left {
		t.Error("nobody said GOAWAY")
	}
	whole.pass(goAway)
	if !whole.left || !whole.border() {
		t.Error("GOAWAY was not seen")
	}
}

// What we say is what grpc would say first.
func TestGoAway(t *testing.T) {
	f, err := http2.NewFramer(io.Discard, bytes.NewReader(goAway)).ReadFrame()
	if g, ok := f.(*http2.GoAwayFrame); err != nil || !ok || g.LastStreamID != 1<<31-1 || g.ErrCode != http2.ErrCodeNo {
		t.Errorf("%v %v", f, err)
	}
}

// FuzzFrames compares with the framer of x/net, on what it takes for frames.
func FuzzFrames(f *testing.F) {
	p, _ := wrote(f)
	f.Add(p, 7)
	f.Add(goAway, 1)
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		r := bytes.NewReader(p)
		fr := http2.NewFramer(io.Discard, r)
		fr.SetMaxReadFrameSize(1 << 14) // it makes room for a frame before it reads it
		fr.AllowIllegalReads = true
		var mine frames
		size = max(1, size)
		for len(p) > 0 {
			k := min(size, len(p))
			mine.pass(p[:k])
			p = p[k:]
		}
		over := true
		for r.Len() > 0 {
			if _, err := fr.ReadFrame(); err != nil {
				over = false
				break
			}
		}
		if over && mine.begun && (mine.n != 0 || mine.payload != 0) {
			t.Errorf("all frames are complete, and %d bytes of a head or %d of a payload are missed", mine.n, mine.payload)
		}
	})
}
