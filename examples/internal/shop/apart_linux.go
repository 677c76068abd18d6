package shop

import "syscall"

// apart starts a process in a group of its own: Ctrl-C on the terminal then reaches the parent alone, which ends the
// others in order. Should the parent die while the process is stopped, the kernel continues it, so that it notices.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
}
