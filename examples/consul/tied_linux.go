package main

import "syscall"

// tied starts an agent in a group of its own, so that Ctrl-C on the terminal does not reach it, and has the kernel end it
// when the parent does.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// abandoned has nothing to do: the kernel has done it.
func abandoned(string) {}
