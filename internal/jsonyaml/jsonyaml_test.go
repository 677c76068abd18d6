package jsonyaml

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"\/\ud83d\ude00\u0041\\/"}`: `{"a":"/` + "\U0001F600" + `\u0041\\/"}`,
		`["\ud83d"]`:                      `["\ud83d"]`,
		`plain: "\/"`:                     `plain: "\/"`, // no JSON
		`{}`:                              `{}`,
	} {
		if got := string(Text([]byte(in))); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// FuzzText: what YAML reads is what JSON reads.
func FuzzText(f *testing.F) {
	f.Add(`"\/\ud83d\ude00"`)
	f.Add(`{"a":["b\\/\n"]}`)
	f.Add(`"\ud83d\u0041"`)
	f.Fuzz(func(t *testing.T, text string) {
		var want, got string
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if err := yaml.Unmarshal(Text([]byte(text)), &got); err != nil {
			t.Skip() // control characters and single surrogates are not YAML's
		}
		if d := cmp.Diff(want, got); d != "" && want != "" {
			t.Error(d)
		}
	})
}
