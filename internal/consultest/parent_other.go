//go:build !linux

package consultest

import "syscall"

// withParent does nothing: only Linux can tie a process to its parent.
func withParent() *syscall.SysProcAttr { return nil }
