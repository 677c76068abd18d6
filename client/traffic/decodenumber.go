package traffic

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
)

// number reads a number into a field of any such kind.
func (d *decoder) number(v reflect.Value, t json.Token, at int) {
	n, ok := t.(json.Number)
	switch v.Kind() {
	case reflect.Float64:
		d.float(v, t, n, ok, at)
	case reflect.Int, reflect.Int32, reflect.Int64:
		if i, err := strconv.ParseInt(n.String(), 10, v.Type().Bits()); ok && err == nil {
			v.SetInt(i)
			return
		}
		d.notANumber(t, at, ok, "a whole number of at most "+strconv.FormatInt(math.MaxInt64>>(64-v.Type().Bits()), 10))
	default:
		if i, err := strconv.ParseUint(n.String(), 10, v.Type().Bits()); ok && err == nil {
			v.SetUint(i)
			return
		}
		d.notANumber(t, at, ok, "a whole number from 0 to "+strconv.FormatUint(math.MaxUint64>>(64-v.Type().Bits()), 10))
	}
}

func (d *decoder) float(v reflect.Value, t json.Token, n json.Number, ok bool, at int) {
	f, err := n.Float64()
	if !ok || err != nil {
		d.notANumber(t, at, ok, "a number")
		return
	}
	v.SetFloat(f)
}

func (d *decoder) notANumber(t json.Token, at int, number bool, want string) {
	if number {
		d.failf(at, "%v: must be %s", t, want)
		return
	}
	d.wrong(t, at, want)
}
