package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
)

// passing passes requests on to the target of the moment, byte for byte and as they come.
type passing struct {
	target atomic.Pointer[url.URL]
	proxy  httputil.ReverseProxy
}

func newPassing(target string) (*passing, error) {
	p := new(passing)
	if err := p.set(target); err != nil {
		return nil, err
	}
	p.proxy = httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(p.target.Load())
			// An agent that names none shall not get Go's.
			if _, ok := r.In.Header["User-Agent"]; !ok {
				r.Out.Header["User-Agent"] = nil
			}
		},
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // an upstream that is away shows as 502
	}
	return p, nil
}

func (p *passing) set(target string) error {
	parsed, err := url.Parse(strings.TrimSpace(target))
	if err != nil || parsed.Scheme != "http" || parsed.Host == "" {
		return fmt.Errorf("the target %q is no http URL", target)
	}
	p.target.Store(parsed)
	return nil
}

func (p *passing) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.proxy.ServeHTTP(w, r) }

// serveControl: PUT the URL of another target.
func (p *passing) serveControl(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err == nil {
		err = p.set(string(body))
	}
	if r.Method != http.MethodPut || err != nil {
		http.Error(w, fmt.Sprint("PUT a URL: ", err), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
