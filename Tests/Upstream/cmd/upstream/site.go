package main

import (
	"fmt"
	"net/http"
	"strings"

	"edgenode.test/upstream/database"
	"edgenode.test/upstream/serve"
)

// description is what the JSON line says.
type description struct {
	// URL of the server, without a slash at the end.
	URL string `json:"url"`
	// Proxies and Statics by name; a proxy also passes its database on under /sumdb/.
	Proxies map[string]proxy  `json:"proxies"`
	Statics map[string]string `json:"statics"`
}

type proxy struct {
	URL          string `json:"url"`
	DatabaseName string `json:"databaseName"`
	DatabaseKey  string `json:"databaseKey"`
	DatabaseURL  string `json:"databaseURL"`
}

// A site routes by path prefix and leaves paths as they came: http.ServeMux would redirect the odd ones.
type site struct {
	handlers    map[string]http.Handler // by prefix, without the slash at its end
	description description
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	best := ""
	for prefix := range s.handlers {
		if strings.HasPrefix(r.URL.Path, prefix+"/") && len(prefix) > len(best) {
			best = prefix
		}
	}
	if best == "" {
		http.NotFound(w, r)
		return
	}
	http.StripPrefix(best, s.handlers[best]).ServeHTTP(w, r)
}

func newSite(url string) *site {
	return &site{
		handlers:    make(map[string]http.Handler),
		description: description{URL: url, Proxies: make(map[string]proxy), Statics: make(map[string]string)},
	}
}

func (s *site) add(o options) error {
	for _, tree := range o.trees {
		files := serve.NewFiles(tree.value)
		versions, err := files.Versions()
		if err != nil {
			return fmt.Errorf("tree %s: %w", tree.name, err)
		}
		if len(versions) == 0 {
			return fmt.Errorf("tree %s: %s holds no modules", tree.name, tree.value)
		}
		sums := padded(files.GoSum)
		db, err := database.Open("sum."+tree.name+".test", o.state, paddingVersions(o.padding), sums)
		if err != nil {
			return err
		}
		s.addProxy(tree.name, files, db)
	}
	if o.corpus != "" {
		corpus, err := serve.NewCorpus(o.corpus)
		if err != nil {
			return fmt.Errorf("corpus: %w", err)
		}
		db, err := database.Open("localhost.localdev/sumdb", o.state, corpus.Versions(), corpus.GoSum)
		if err != nil {
			return err
		}
		s.addProxy("corpus", corpus, db)
	}
	for _, static := range o.statics {
		prefix := "/" + static.name
		s.handlers[prefix] = serve.NewRecorded(static.value)
		s.description.Statics[static.name] = s.description.URL + prefix
	}
	return nil
}

func (s *site) addProxy(name string, modules http.Handler, db *database.Database) {
	prefix, direct := "/"+name, "/"+db.Name
	passed := prefix + "/sumdb/" + db.Name
	s.handlers[prefix] = modules
	s.handlers[passed] = db
	s.handlers[direct] = db
	s.description.Proxies[name] = proxy{
		URL:          s.description.URL + prefix,
		DatabaseName: db.Name,
		DatabaseKey:  db.VerifierKey,
		DatabaseURL:  s.description.URL + direct,
	}
}
