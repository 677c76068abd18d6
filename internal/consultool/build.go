package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// tell is how often is said how far the build has come.
const tell = 15 * time.Second

// build makes the binary beside its place and renames it, so that what stands there is always whole.
func build(ctx context.Context, path string) error {
	start := time.Now()
	sayf("building a Consul server, once, into %s: about 5 CPU-minutes; of what is not cached 380 MB are downloaded", path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("%w; XDG_CACHE_HOME names another cache", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "build-")
	if err != nil {
		return fmt.Errorf("%w; XDG_CACHE_HOME names another cache", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	total, err := packages(ctx)
	if err != nil {
		return fmt.Errorf("its modules cannot be had: %w; %s may name a server that is built already", err, given)
	}
	sayf("%4.0fs  its modules are here; compiling %d packages", time.Since(start).Seconds(), total)
	made := filepath.Join(tmp, "consul")
	if err := compile(ctx, made, start); err != nil {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	sayf("%4.0fs  built", time.Since(start).Seconds())
	return nil
}

// packages downloads what is missing and counts what is linked.
func packages(ctx context.Context) (int, error) {
	var bad bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", server)
	cmd.Stderr = &bad
	out, err := cmd.Output()
	if err != nil {
		return 0, errors.New(strings.Join(last(bad.String(), 5), "\n"))
	}
	return bytes.Count(out, []byte("\n")), nil
}

// last are the last lines of a text.
func last(text string, n int) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[max(0, len(lines)-n):]
}

// compile builds the binary and says now and then how far it is.
func compile(ctx context.Context, made string, start time.Time) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", made, server)
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	other := progress(out, start)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, strings.Join(other, "\n"))
	}
	return nil
}

// progress counts the packages in go build's output, until it ends. What is not the name of a package it returns.
func progress(out io.Reader, start time.Time) []string {
	var other []string
	next := time.Now().Add(tell)
	count := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.ContainsAny(lines.Text(), " \t") {
			other = append(other, lines.Text())
			continue
		}
		if count++; time.Now().After(next) {
			sayf("%4.0fs  %d packages compiled", time.Since(start).Seconds(), count)
			next = time.Now().Add(tell)
		}
	}
	return other
}
