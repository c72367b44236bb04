// Tether runs a program for as long as its own standard input is open, which is as long as the one who started it lives:
//
//	tether [-directory DIRECTORY] PROGRAM ARGUMENT...
//
// It prints the program's process id as its first line of output; what follows is the program's own. When the input
// ends, the program and everything that it started is killed. SIGTERM and SIGINT are passed on. It ends as the program
// does, with 128 plus the signal's number where a signal ended it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	directory := flag.String("directory", "", "working `directory` of the program")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: tether [-directory DIRECTORY] PROGRAM ARGUMENT...")
		os.Exit(2)
	}
	command := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	command.Dir = *directory
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := command.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "tether:", err)
		os.Exit(127)
	}
	pid := command.Process.Pid
	fmt.Println(pid)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		syscall.Kill(-pid, syscall.SIGKILL)
	}()
	go func() {
		for s := range signals {
			syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
	err := command.Wait()
	syscall.Kill(-pid, syscall.SIGKILL) // what the program left behind
	var exit *exec.ExitError
	switch {
	case err == nil:
	case !errors.As(err, &exit):
		fmt.Fprintln(os.Stderr, "tether:", err)
		os.Exit(1)
	case exit.Sys().(syscall.WaitStatus).Signaled():
		os.Exit(128 + int(exit.Sys().(syscall.WaitStatus).Signal()))
	default:
		os.Exit(exit.ExitCode())
	}
}
