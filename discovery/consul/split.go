package consul

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// firstRead is how much of an answer is read at a time; more where one instance is longer.
const firstRead = 64 << 10

var errNoList = errors.New("the answer is not a list of instances")

// split reads a JSON list of objects and hands on the text of each, which holds until it returns. It looks for where they
// begin and end and at nothing else: what is inside is for who reads it. buf is the space to work in, and is returned.
func split(r io.Reader, buf []byte, each func(object []byte) error) ([]byte, error) {
	s := splitter{buf: buf[:0], each: each, want: beforeList}
	for {
		if len(s.buf) == cap(s.buf) {
			s.buf = append(make([]byte, 0, max(firstRead, 2*cap(s.buf))), s.buf...)
		}
		n, err := r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if bad := s.scan(); bad != nil {
			return s.buf, bad
		}
		if err == io.EOF && s.want == afterList {
			return s.buf, nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return s.buf, err
		}
	}
}

// splitter is where split is.
type splitter struct {
	buf     []byte
	at      int // what is before it was looked at
	begin   int // of the object, where want is inObject
	depth   int // of braces and brackets in it
	quoted  bool
	escaped bool // the next byte is, in a string
	want    stage
	each    func([]byte) error
}

// stage is what comes next.
type stage uint8

const (
	beforeList  stage = iota // [
	first                    // an object or ]
	beforeComma              // a comma or ]
	beforeNext               // an object
	inObject
	afterList // nothing
)

// scan goes through what was read, and drops it but for the beginning of an object that goes on.
func (s *splitter) scan() error {
	for s.at < len(s.buf) {
		if s.want == inObject {
			if s.inside() {
				if err := s.each(s.buf[s.begin:s.at]); err != nil {
					return err
				}
				s.want = beforeComma
			}
			continue
		}
		if err := s.between(s.buf[s.at]); err != nil {
			return err
		}
		s.at++
	}
	keep := s.at
	if s.want == inObject {
		keep = s.begin
	}
	s.buf = s.buf[:copy(s.buf, s.buf[keep:])]
	s.at, s.begin = s.at-keep, 0
	return nil
}

// between takes one byte outside of the objects.
func (s *splitter) between(c byte) error {
	switch {
	case c == ' ' || c == '\n' || c == '\t' || c == '\r':
	case c == '[' && s.want == beforeList:
		s.want = first
	case c == '{' && (s.want == first || s.want == beforeNext):
		s.want, s.begin, s.depth, s.quoted = inObject, s.at, 0, false
		s.at-- // inside counts the brace
	case c == ',' && s.want == beforeComma:
		s.want = beforeNext
	case c == ']' && (s.want == first || s.want == beforeComma):
		s.want = afterList
	default:
		return fmt.Errorf("%w: invalid character %q", errNoList, c)
	}
	return nil
}

// inside goes on to behind the end of the object, and says whether it came there.
func (s *splitter) inside() bool {
	for s.at < len(s.buf) {
		if s.quoted {
			s.inString()
			continue
		}
		c := s.buf[s.at]
		s.at++
		switch c {
		case '"':
			s.quoted = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth == 0 {
				return true
			}
		}
	}
	return false
}

// inString goes on to behind the end of the string, or of what there is of it.
func (s *splitter) inString() {
	if s.escaped {
		s.escaped = false
		s.at++
		return
	}
	rest := s.buf[s.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		end = len(rest)
	}
	if esc := bytes.IndexByte(rest[:end], '\\'); esc >= 0 {
		s.escaped = true
		s.at += esc + 1
		return
	}
	s.at += end
	if s.at < len(s.buf) {
		s.at++
		s.quoted = false
	}
}
