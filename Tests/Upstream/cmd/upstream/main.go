// Upstream is a stand-in for what a node fetches from: module proxies, checksum databases and static files on one
// loopback port, with faults on request. It prints one JSON line that says where everything is, then serves until
// SIGTERM or SIGINT (with -until-stdin-closes also until its standard input ends).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"edgenode.test/upstream/faults"
)

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "loopback `address` to serve on")
	flag.StringVar(&o.state, "state", "", "`directory` of the databases' keys and records (required)")
	flag.StringVar(&o.corpus, "corpus", "", "`directory` of the go command's testdata/mod, served at /corpus")
	flag.IntVar(&o.padding, "padding", 0, "`number` of made-up versions that the databases begin with")
	flag.Var(&o.trees, "tree", "`name=directory` of a module tree, served at /name with a database sum.name.test at /sum.name.test")
	flag.Var(&o.statics, "static", "`name=directory` of a checksum database's recorded files, served at /name")
	stdin := flag.Bool("until-stdin-closes", false, "end when the standard input does")
	flag.Parse()
	if err := run(o, *stdin); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

type options struct {
	listen, state, corpus string
	padding               int
	trees, statics        pairs
}

// run serves until it is told to end.
func run(o options, untilStdinCloses bool) error {
	if o.state == "" {
		return errors.New("-state is missing: name a directory for the databases' keys and records")
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	if address := listener.Addr().(*net.TCPAddr); !address.IP.IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", o.listen)
	}
	site := newSite("http://" + listener.Addr().String())
	if err := site.add(o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if untilStdinCloses {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	server := &http.Server{Handler: faults.NewHandler(site)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := json.NewEncoder(os.Stdout).Encode(site.description); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return server.Close()
	case err := <-failed:
		return err
	}
}

// pairs is a repeatable flag name=value.
type pairs []struct{ name, value string }

func (p *pairs) String() string { return fmt.Sprint(*p) }

func (p *pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || value == "" {
		return fmt.Errorf("%q is not name=directory", text)
	}
	*p = append(*p, struct{ name, value string }{name, value})
	return nil
}
