package consul

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"io"
	"time"

	"github.com/hashicorp/consul/api"
)

// decoder makes instances of the answers to one question. Reading the JSON of 5,000 instances takes a tenth of a second of
// a core, and of one answer to the next little changes: so it knows instances by the hash of their text, and reads only
// those that are new. An attacker cannot make two of the same hash, which has a seed of its own.
type decoder struct {
	reader reader
	seed   maphash.Seed
	known  map[uint64]*member // those of the last answer
	buf    []byte

	// Of the last answer:
	all  []*member
	took time.Duration
}

func newDecoder(r reader) *decoder { return &decoder{reader: r, seed: maphash.MakeSeed()} }

// read reads one answer. After an error nothing of it is known, and what was known before still is.
func (d *decoder) read(body io.Reader) error {
	start := time.Now()
	all := make([]*member, 0, len(d.known)+8)
	known := make(map[uint64]*member, len(d.known)+8)
	buf, err := split(body, d.buf, func(text []byte) error {
		sum := maphash.Bytes(d.seed, text)
		in := d.known[sum]
		if in == nil {
			e := new(api.ServiceEntry)
			if err := json.Unmarshal(text, e); err != nil {
				return err
			}
			in = d.reader.member(e)
		}
		known[sum] = in
		all = append(all, in)
		return nil
	})
	d.buf, d.took = buf[:0], time.Since(start)
	if err != nil {
		d.all = nil
		return err
	}
	d.all, d.known = all, known
	return nil
}

type decoderKey struct{}

// withDecoder has guard hand the answer to d.
func withDecoder(ctx context.Context, d *decoder) context.Context {
	return context.WithValue(ctx, decoderKey{}, d)
}

func decoderOf(ctx context.Context) *decoder {
	d, _ := ctx.Value(decoderKey{}).(*decoder)
	return d
}
