//go:build !linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tied starts an agent in a group of its own, so that Ctrl-C on the terminal does not reach it.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// abandoned ends the agents of a parent that could not. It is called by the processes of the shop, which know where the
// agents have left their numbers.
func abandoned(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, agentsDir, "*", "pid"))
	for _, path := range files {
		text, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
