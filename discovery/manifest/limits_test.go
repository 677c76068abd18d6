package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explosion is a text of a few hundred bytes whose aliases stand for 9^9 values, below a key.
func explosion(key string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 80}]\n  " + key + ":\n")
	b.WriteString("    a0: &a0 x\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "    a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

func TestAliasesHaveABound(t *testing.T) {
	for _, key := range []string{"nodePort", "loadBalancerIP", "unknown"} {
		got := findingsOf(t, Config{}, explosion(key))
		if !strings.Contains(got, "the aliases of this document stand for too many values") {
			t.Errorf("%s: %.300s", key, got)
		}
	}
}

func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sequence(f.Truncate(50<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, found := Load(Config{Paths: []string{path}}); found.Err() == nil || found.Err().Error() != path+": larger than 16 MiB" {
		t.Errorf("found %v", found)
	}
}

// TestFindingsHaveABound: a file that is no manifest does not fill the log.
func TestFindingsHaveABound(t *testing.T) {
	text := strings.Repeat("---\n{a: 1}\n", 10*maxFindings)
	_, found := Parse(Config{}, map[string]string{"a.yaml": text})
	if len(found) != maxFindings+1 {
		t.Errorf("there are %d findings", len(found))
	}
	if last := found.Warnings(); len(last) != 1 || last[0].Why != fmt.Sprintf("%d more findings in this file are not shown", 9*maxFindings) {
		t.Errorf("the warning is %v", last)
	}
}

// TestNoRights: a file that this process may not read is told, and so is a folder.
func TestNoRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is forbidden to root")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(path, []byte(good), 0o000); err != nil {
		t.Fatal(err)
	}
	if _, found := Load(Config{Paths: []string{dir}}); found.Err() == nil || found.Err().Error() != path+": permission denied" {
		t.Errorf("found %v", found)
	}
}

// TestConfig: what cannot be a configuration.
func TestConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"Paths":       {},
		"Namespace":   {Paths: []string{"x"}, Namespace: "A"},
		"Domain":      {Paths: []string{"x"}, Domain: "-"},
		"TrustDomain": {Paths: []string{"x"}, TrustDomain: "spiffe://x"},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "Config."+want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
