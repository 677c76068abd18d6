package servergrpc

// What of HTTP/2 has to be known to write a frame between others (RFC 9113, 4.1 and 6).
const (
	headSize          = 9 // length (3), type, flags, stream (4)
	frameHeaders      = 0x1
	frameGoAway       = 0x7
	frameContinuation = 0x9
	flagEndHeaders    = 0x4
)

// goAway lets every stream that the client has opened go on: the last one is 2^31-1, the error NO_ERROR.
var goAway = []byte{0, 0, 8, frameGoAway, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// frames follows the frames that a server writes, in pieces of any size.
type frames struct {
	head    [headSize]byte
	n       int  // bytes of head that are there
	payload int  // bytes of the payload that are still to come
	begun   bool // the first frame, SETTINGS, is out
	headers bool // a header block is not over, and nothing may come between
	left    bool // GOAWAY was said; one that comes later must not name a later stream
}

// pass takes what was written.
func (f *frames) pass(p []byte) {
	for len(p) > 0 {
		if f.payload > 0 {
			k := min(f.payload, len(p))
			f.payload -= k
			p = p[k:]
			continue
		}
		k := copy(f.head[f.n:], p)
		f.n += k
		p = p[k:]
		if f.n == headSize {
			f.begin()
		}
	}
}

// begin takes a complete head.
func (f *frames) begin() {
	f.n, f.begun = 0, true
	f.payload = int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	switch f.head[3] {
	case frameHeaders, frameContinuation:
		f.headers = f.head[4]&flagEndHeaders == 0
	case frameGoAway:
		f.left = true
	}
}

// border reports whether another frame may come now.
func (f *frames) border() bool { return f.begun && f.n == 0 && f.payload == 0 && !f.headers }
