// Relay stands between two ends of a registry's wire: it passes requests on to a registry (or to a node), makes those
// fail that a rule names, asks for credentials when it is told to, and keeps a log of what it saw. It prints one JSON
// line with its addresses, then serves until SIGTERM or SIGINT.
//
// Below /_control/ it takes orders: faults, requests and log (see the package faults), gate (see the package gate), and
// target, to which PUT gives another URL to pass requests on to. A second listener serves the same blobs as object
// stores do, to which a rule can redirect: it wants a signature in the query and no Authorization header.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"edgenode.test/upstream/faults"
	"edgenode.test/upstream/gate"
	"edgenode.test/upstream/synthetic"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "loopback `address` to serve on")
	store := flag.String("store", "127.0.0.2:0", "loopback `address` of the object store")
	target := flag.String("target", "", "`URL` to pass requests on to (required)")
	certificate := flag.String("certificate", "", "PEM `file` of a certificate, which makes the relay speak TLS")
	key := flag.String("key", "", "PEM `file` of the certificate's key")
	sizes := sizes{}
	flag.Var(sizes, "synthetic", "`name=bytes` of an image synthetic/name with one layer of that size")
	flag.Parse()
	if err := run(*listen, *store, *target, *certificate, *key, sizes); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

func run(listen, store, target, certificate, key string, sizes sizes) error {
	passing, err := newPassing(target)
	if err != nil {
		return err
	}
	content := synthetic.New(passing, sizes)
	door := gate.New(content)
	front := faults.NewHandler(door)
	front.Control("gate", http.HandlerFunc(door.ServeControl))
	front.Control("target", http.HandlerFunc(passing.serveControl))
	servers := []*http.Server{{Handler: front}, {Handler: faults.NewHandler(objectStore{content})}}
	var addresses []string
	failed := make(chan error, len(servers))
	for i, address := range []string{listen, store} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
			return fmt.Errorf("%s is not a loopback address", address)
		}
		addresses = append(addresses, listener.Addr().String())
		go func() {
			if certificate != "" && i == 0 {
				failed <- servers[i].ServeTLS(listener, certificate, key)
			} else {
				failed <- servers[i].Serve(listener)
			}
		}()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	description := map[string]string{"address": addresses[0], "store": addresses[1]}
	if err := json.NewEncoder(os.Stdout).Encode(description); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		for _, server := range servers {
			server.Close()
		}
		return nil
	case err := <-failed:
		return err
	}
}

// objectStore serves blobs to those who hold a signed URL, and answers 400 to a second kind of credentials, as S3 does.
type objectStore struct{ next http.Handler }

func (s objectStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "only one auth mechanism allowed", http.StatusBadRequest)
	case r.URL.Query().Get("signature") != "valid":
		http.Error(w, "the signature is missing or has expired", http.StatusForbidden)
	default:
		s.next.ServeHTTP(w, r)
	}
}

// sizes is a repeatable flag name=bytes.
type sizes map[string]int64

func (s sizes) String() string { return fmt.Sprint(map[string]int64(s)) }

func (s sizes) Set(text string) error {
	name, number, _ := strings.Cut(text, "=")
	size, err := strconv.ParseInt(number, 10, 64)
	if err != nil || size <= 0 || name == "" {
		return fmt.Errorf("%q is not name=bytes", text)
	}
	s[name] = size
	return nil
}
