// Package jsonyaml makes YAML of JSON, so that one reader takes both.
package jsonyaml

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text rewrites the two escapes of JSON that YAML does not have: "\/", and characters above U+FFFF as a pair of
// surrogates. Everything else in JSON is YAML. Text that is not JSON is returned as it is; lines stay where they are.
func Text(data []byte) []byte {
	if !bytes.ContainsAny(data, `\`) || !json.Valid(data) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] != '\\' { // in JSON a backslash stands only in strings
			out = append(out, data[i])
			i++
			continue
		}
		n := 2
		switch r := surrogates(data[i:]); {
		case data[i+1] == '/':
			out = append(out, '/')
		case r != utf8.RuneError:
			out = utf8.AppendRune(out, r)
			n = len(`\ud83d\ude00`)
		default:
			out = append(out, data[i:i+n]...)
		}
		i += n
	}
	return out
}

// surrogates is the character at the start of s, where that is an escaped pair of surrogates.
func surrogates(s []byte) rune {
	if len(s) < 12 || s[1] != 'u' || s[6] != '\\' || s[7] != 'u' {
		return utf8.RuneError
	}
	high, err1 := strconv.ParseUint(string(s[2:6]), 16, 16)
	low, err2 := strconv.ParseUint(string(s[8:12]), 16, 16)
	if err1 != nil || err2 != nil {
		return utf8.RuneError
	}
	return utf16.DecodeRune(rune(high), rune(low))
}
