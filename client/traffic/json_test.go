package traffic

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fill sets every field below v to something, so that no field is forgotten when one is added.
func fill(d dice, v reflect.Value, depth int) {
	switch {
	case v.Type() == valueType:
		v.Set(reflect.ValueOf(d.value(someTexts...)))
		return
	case v.Type() == durationType:
		v.SetInt(d.Int64() - math.MaxInt64/2)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(d, v.Elem(), depth)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(d, field, depth+1)
		}
	case reflect.Slice:
		for range 1 + d.IntN(2) {
			item := reflect.New(v.Type().Elem()).Elem()
			fill(d, item, depth+1)
			v.Set(reflect.Append(v, item))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		item := reflect.New(v.Type().Elem()).Elem()
		fill(d, item, depth+1)
		v.SetMapIndex(reflect.ValueOf(pick(d, `a"`, "ü", "<b>", "")), item)
	case reflect.String:
		v.SetString(pick(d, "a", "", "\x00\u2028", "é<&>", `\`))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(pick(d, d.NormFloat64(), 1e300, 5e-324, 100, 0.1))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(d.Int32()) - math.MaxInt32/2)
	default:
		v.SetUint(d.Uint64() >> (64 - v.Type().Bits()))
	}
}

// What is printed is read as the same, whatever it says, and by package json, too.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		var p Policy
		fill(newDice(seed), reflect.ValueOf(&p).Elem(), 0)
		text := p.String()
		q, err := Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !p.Equal(q) || !reflect.DeepEqual(p, q) || q.String() != text {
			t.Fatalf("another policy:\n%s\n%s", text, q)
		}
		indented, err := json.MarshalIndent(struct{ P *Policy }{&p}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ P Policy }
		if err := json.Unmarshal(indented, &r); err != nil || !r.P.Equal(p) {
			t.Fatalf("%v\n%s", err, indented)
		}
	}
}

// Each field makes a difference: where one is changed the policies are not equal.
func TestEqualSeesEveryField(t *testing.T) {
	var p Policy
	fill(newDice(1), reflect.ValueOf(&p).Elem(), 0)
	text := p.String()
	fields := 0
	var visit func(v reflect.Value, path string)
	visit = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer:
			visit(v.Elem(), path)
			return
		case reflect.Slice:
			visit(v.Index(0), path+"[0]")
			return
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
			return
		}
		fields++
		q, err := Parse([]byte(text))
		if err != nil || !q.Equal(p) {
			t.Fatal(err)
		}
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Float64:
			v.SetFloat(v.Float() + 1 + v.Float())
		case reflect.Map:
			v.Set(reflect.MakeMap(v.Type()))
		case reflect.Int, reflect.Int32, reflect.Int64:
			v.SetInt(v.Int() ^ 1)
		default:
			v.SetUint(v.Uint() ^ 1)
		}
		if q.Equal(p) || p.Equal(q) {
			t.Errorf("%s makes no difference", path)
		}
		v.Set(old)
	}
	visit(reflect.ValueOf(&p).Elem(), "")
	if fields < 150 {
		t.Errorf("only %d fields were visited", fields)
	}
}

func TestEqualOfNothing(t *testing.T) {
	a := Policy{Routes: []Route{}}
	if !a.Equal(Policy{}) || !(Policy{}).Equal(a) || a.Equal(Policy{Routes: []Route{{}}}) {
		t.Error("an empty list is not like none")
	}
	b := Policy{Routes: []Route{{Rewrite: &Rewrite{Prefix: new("")}}}}
	if b.Equal(Policy{Routes: []Route{{Rewrite: &Rewrite{}}}}) {
		t.Error("an empty prefix is like none")
	}
}

func TestParseReads(t *testing.T) {
	for text, want := range map[string]Policy{
		`{}`:                       {},
		"\n{ \"routes\" : [ ] }\n": {Routes: []Route{}},
		`{"routes":[{"match":[{"path":{"regex":"/a"},"headers":[{"name":"x","value":{"present":true},"not":true}]}],"timeout":"-1s"}]}`: {
			Routes: []Route{{Match: []Match{{Path: Regex("/a"), Headers: []Field{{Name: "x", Value: Present(), Not: true}}}}, Timeout: -time.Second}},
		},
		`{"routes":[{"match":[{"method":{"ignoreCase":true,"exact":"get"},"source":{"app":"web"}}]}]}`: {
			Routes: []Route{{Match: []Match{{Method: Value{OpExact, "get", true}, Source: map[string]string{"app": "web"}}}}},
		},
		`{"destinations":[{"service":"a","balance":{"algorithm":"maglev","hash":{"context":true}},"subsets":[{"name":"v1","tls":{"mode":"mesh"}}]}]}`: {
			Destinations: []Destination{{
				Service: "a", Settings: Settings{Balance: &Balance{Algorithm: "maglev", Hash: &Key{Context: true}}},
				Subsets: []Subset{{Name: "v1", Settings: Settings{TLS: &TLS{Mode: TLSMesh}}}},
			}},
		},
	} {
		p, err := Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	p, err := Parse([]byte(`{"destinations":[{"service":"a","resilience":{"retry":{"retries":1,"perTry":"1s","backoff":{"base":"5ms"}},"outlier":{"consecutive5xx":3}}}]}`))
	if r := p.Destinations[0].Resilience; err != nil || r.Retry.PerTry != time.Second || r.Outlier.Consecutive5xx != 3 {
		t.Errorf("%v, %v", p, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    `1:1: unexpected end of JSON input`,
		`[]`:                                  `1:1: is a list, must be an object`,
		`null`:                                `1:1: null: leave the field out`,
		`{`:                                   `1:1: unexpected end`,
		`{} {}`:                               `1:4: invalid character '{' after top-level value`,
		"{\n\"routes\":[{},\n]}":              `3:1: invalid character ']'`,
		"{\"a\":\"\xff\"}":                    `1:7: not UTF-8`,
		`{"Routes":[]}`:                       `1:2: Routes: unknown field, did you mean "routes"?`,
		`{"zzz":{"a":[1,{}]}}`:                `1:2: zzz: unknown field`,
		`{"routes":{}}`:                       `1:11: routes: is an object, must be a list`,
		`{"routes":null}`:                     `1:11: routes: null: leave the field out`,
		`{"routes":[],"routes":[]}`:           `1:14: "routes" is there twice`,
		`{"routes":[{"timeout":5}]}`:          `1:23: routes[0].timeout: is a number, must be a duration such as "1.5s"`,
		`{"routes":[{},{"timeout":"5"}]}`:     `1:26: routes[1].timeout: "5": not a duration`,
		`{"routes":[{"timeout":"9999999h"}]}`: `routes[0].timeout: "9999999h": not a duration`,
		`{"routes":[{"hosts":"a"}]}`:          `routes[0].hosts: is text, must be a list`,
		`{"routes":[{"hosts":[true]}]}`:       `routes[0].hosts[0]: is true or false, must be text`,
		`{"routes":[{"noRetry":"yes"}]}`:      `routes[0].noRetry: is text, must be true or false`,
		`{"routes":[{"match":[{"port":65536}]}]}`:                        `routes[0].match[0].port: 65536: must be a whole number from 0 to 65535`,
		`{"routes":[{"match":[{"port":-1}]}]}`:                           `routes[0].match[0].port: -1: must be a whole`,
		`{"routes":[{"match":[{"port":80.0}]}]}`:                         `routes[0].match[0].port: 80.0: must be a whole`,
		`{"routes":[{"match":[{"port":"80"}]}]}`:                         `routes[0].match[0].port: is text, must be a whole number`,
		`{"routes":[{"redirect":{"status":1e2}}]}`:                       `routes[0].redirect.status: 1e2: must be a whole number of at most 9223372036854775807`,
		`{"routes":[{"faults":[{"percent":"1"}]}]}`:                      `routes[0].faults[0].percent: is text, must be a number`,
		`{"routes":[{"faults":[{"percent":1e999}]}]}`:                    `routes[0].faults[0].percent: 1e999: must be a number`,
		`{"routes":[{"match":[{"path":"/a"}]}]}`:                         `path: is text, must be an object such as {"exact":"x"}`,
		`{"routes":[{"match":[{"path":{"prefx":"/a"}}]}]}`:               `path.prefx: unknown field, did you mean "prefix"?`,
		`{"routes":[{"match":[{"path":{"exact":"/a","prefix":"/b"}}]}]}`: `path.prefix: one condition has two comparisons, exact and prefix`,
		`{"routes":[{"match":[{"path":{"present":false}}]}]}`:            `path.present: must be true`,
		`{"routes":[{"match":[{"path":{"present":"x"}}]}]}`:              `path.present: is text, must be true or false`,
		`{"routes":[{"match":[{"source":{"a":1}}]}]}`:                    `routes[0].match[0].source["a"]: is a number, must be text`,
		`{"routes":[{"match":[{"source":{"a":"","a":""}}]}]}`:            `source["a"]: "a" is there twice`,
		`{"destinations":[{"settings":{}}]}`:                             `destinations[0].settings: unknown field`,
		`{"destinations":[{"resilience":{"retry":{"Retries":1}}}]}`:      `resilience.retry.Retries: unknown field, did you mean "retries"?`,
	} {
		p, err := Parse([]byte(text))
		var at *ParseError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &at) || at.Line == 0 || at.Column == 0 || !p.Equal(Policy{}) {
			t.Errorf("%s\nwant %s\ngot  %v", text, want, err)
		}
	}
}

func TestParseTellsAllMistakes(t *testing.T) {
	_, err := Parse([]byte("{\n  \"routes\": [\n    {\"nam\": {\"x\": [1]}, \"timeout\": 1},\n    {\"ü\": 1, \"name\": 2}\n  ],\n  \"x\": 1\n}"))
	want := `traffic: 3:6: routes[0].nam: unknown field, did you mean "name"?
traffic: 3:36: routes[0].timeout: is a number, must be a duration such as "1.5s"
traffic: 4:6: routes[1].ü: unknown field
traffic: 4:22: routes[1].name: is a number, must be text
traffic: 6:3: x: unknown field`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

func TestNoJSON(t *testing.T) {
	for _, p := range []Policy{
		{Routes: []Route{{Faults: []Fault{{Percent: math.NaN()}}}}},
		{Routes: []Route{{Name: "\xff"}}},
		{Routes: []Route{{Match: []Match{{Source: map[string]string{"\xff": ""}}}}}},
	} {
		if _, err := json.Marshal(p); err == nil {
			t.Errorf("%v was printed", p)
		}
		if p.String() == "" {
			t.Error("an empty String")
		}
	}
	p := Policy{MirrorLimits: MirrorLimits{Calls: 7}}
	if err := json.Unmarshal([]byte(`{"x":1}`), &p); err == nil || p.MirrorLimits.Calls != 7 {
		t.Errorf("a policy that cannot be read took the old one's place: %v, %v", p, err)
	}
}

// A share of 0 is said: whoever reads the policy should not have to know that none means none.
func TestZeroPercentIsPrinted(t *testing.T) {
	p := Policy{Routes: []Route{{Mirrors: []Mirror{{Service: "a"}}, Faults: []Fault{{Delay: time.Second}}}}}
	want := `{"routes":[{"faults":[{"percent":0,"delay":"1s"}],"mirrors":[{"service":"a","percent":0}]}]}`
	if got := p.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
