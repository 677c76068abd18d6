package manifest

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// early are the problems of which package yaml counts the lines from 0, unlike those of all others: those of its parser, as
// against its scanner.
var early = []string{
	"did not find expected <stream-start>", "did not find expected <document start>", "did not find expected node content",
	"did not find expected '-' indicator", "did not find expected key", "did not find expected ',' or ']'",
	"did not find expected ',' or '}'", "found undefined tag handle", "found duplicate %YAML directive",
	"found incompatible YAML document", "found duplicate %TAG directive",
}

// ofBlocks are those of them that package yaml tells with the line at which the block around them begins.
var ofBlocks = []string{"did not find expected '-' indicator", "did not find expected key"}

// maxSearched is the largest file that is read again and again to find the place of an error.
const maxSearched = 1 << 20

// firstWith is the line that brings a problem of a block about: the last one of the shortest text that has it.
func firstWith(data []byte, problem string) int {
	lines := slices.Collect(bytes.Lines(data))
	ends := make([]int, len(lines))
	for i, end := 0, 0; i < len(lines); i++ {
		end += len(lines[i])
		ends[i] = end
	}
	return 1 + sort.Search(len(ends), func(i int) bool { return problemOf(data[:ends[i]]) == problem })
}

// problemOf is what package yaml says of a text; empty where it is YAML.
func problemOf(data []byte) string {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		switch err := dec.Decode(new(yaml.Node)); {
		case errors.Is(err, io.EOF):
			return ""
		case err != nil:
			return err.Error()
		}
	}
}

// syntaxFinding is what package yaml says of a text that is no YAML.
func syntaxFinding(err error, data []byte) Finding {
	head := yamlLine.FindString(err.Error())
	why := strings.TrimPrefix(err.Error(), head)
	if head == "" {
		return Finding{Why: "not YAML: " + why}
	}
	f := Finding{Line: 1, Why: "not YAML: " + why}
	name, alias := strings.CutPrefix(why, "unknown anchor '")
	switch m := yamlLine.FindStringSubmatch(head); {
	case m[1] != "":
		f.Line, _ = strconv.Atoi(m[1])
		switch {
		case slices.Contains(ofBlocks, why) && len(data) <= maxSearched:
			f.Line = firstWith(data, err.Error())
		case slices.Contains(early, why):
			f.Line = min(f.Line+1, bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))+1) // not behind the end
		}
	case alias:
		f.Line, f.Column = position(data, aliasAt(data, strings.TrimSuffix(name, "' referenced")))
	case why == "control characters are not allowed":
		f.Line, f.Column = position(data, bytes.IndexFunc(data, isControl))
	}
	return f
}

// position is the line and column of a place in a text; of none the file as a whole.
func position(data []byte, at int) (line, column int) {
	if at < 0 {
		return 0, 0
	}
	return 1 + bytes.Count(data[:at], []byte("\n")), at - bytes.LastIndexByte(data[:at], '\n')
}

// isControl says whether YAML has no such character.
func isControl(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r > '~' && r < '\u00a0' && r != '\u0085' ||
		r == '\ufffe' || r == '\uffff'
}

// aliasAt is where the first alias of a name stands; negative where none is found.
func aliasAt(data []byte, name string) int {
	at := regexp.MustCompile(`(?:^|[\s\[{,:])(\*` + regexp.QuoteMeta(name) + `)(?:[\s\]},:]|$)`).FindSubmatchIndex(data)
	if at == nil {
		return -1
	}
	return at[2]
}
