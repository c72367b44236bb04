package serve

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// A Corpus is a module proxy over the go command's testdata/mod: bad zips, bad names, retractions,
// +incompatible versions and toolchains, by the rules that cmd/go's own tests serve them with.
type Corpus struct {
	list      []*archive
	byVersion map[module.Version]*archive
	byPath    map[string][]*archive
}

// NewCorpus reads the archives in dir.
func NewCorpus(dir string) (*Corpus, error) {
	list, err := readArchives(dir)
	if err != nil {
		return nil, err
	}
	c := &Corpus{list: list, byVersion: make(map[module.Version]*archive), byPath: make(map[string][]*archive)}
	for _, a := range list {
		c.byVersion[a.module] = a
		c.byPath[a.module.Path] = append(c.byPath[a.module.Path], a)
	}
	return c, nil
}

// Versions lists what the corpus holds.
func (c *Corpus) Versions() []module.Version {
	versions := make([]module.Version, len(c.list))
	for i, a := range c.list {
		versions[i] = a.module
	}
	return versions
}

func (c *Corpus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if escaped, ok := strings.CutSuffix(name, "/@latest"); ok {
		path, err := module.UnescapePath(escaped)
		a := c.latest(path)
		if err != nil || a == nil {
			http.NotFound(w, r)
			return
		}
		serveBytes(w, r, a.info)
		return
	}
	escaped, file, ok := strings.Cut(name, "/@v/")
	path, err := module.UnescapePath(escaped)
	if !ok || err != nil || c.byPath[path] == nil {
		http.NotFound(w, r)
		return
	}
	if file == "list" {
		serveBytes(w, r, c.versionList(path))
		return
	}
	i := strings.LastIndex(file, ".")
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	version, err := module.UnescapeVersion(file[:i])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	a := c.resolve(path, version)
	if a == nil {
		http.NotFound(w, r)
		return
	}
	switch file[i:] {
	case ".info":
		serveBytes(w, r, a.info)
	case ".mod":
		serveBytes(w, r, a.mod)
	case ".zip":
		serveBytes(w, r, a.zip)
	default:
		http.NotFound(w, r)
	}
}

// resolve finds a version, or the highest version that a commit hash stands for.
func (c *Corpus) resolve(path, version string) *archive {
	var best *archive
	if isHex(version) {
		for _, a := range c.byPath[path] {
			hash := a.commit()
			if strings.HasPrefix(hash, version) || strings.HasPrefix(version, hash) {
				best = a
			}
		}
	}
	if best == nil {
		best = c.byVersion[module.Version{Path: path, Version: version}]
	}
	return best
}

// latest is the highest release, else the highest prerelease, else the highest pseudo-version.
func (c *Corpus) latest(path string) *archive {
	var best *archive
	rank := 0
	for _, a := range c.byPath[path] { // ascending
		r := 3
		if module.IsPseudoVersion(a.module.Version) {
			r = 1
		} else if semver.Prerelease(a.module.Version) != "" {
			r = 2
		}
		if r >= rank {
			best, rank = a, r
		}
	}
	return best
}

func (c *Corpus) versionList(path string) []byte {
	var list bytes.Buffer
	for _, a := range c.byPath[path] {
		v := a.module.Version
		if !module.IsPseudoVersion(v) && module.Check(path, v) == nil {
			fmt.Fprintln(&list, v)
		}
	}
	return list.Bytes()
}

// GoSum gives the two go.sum lines of a version, over the very files that its zip holds.
func (c *Corpus) GoSum(path, version string) ([]byte, error) {
	a := c.byVersion[module.Version{Path: path, Version: version}]
	if a == nil {
		return nil, fmt.Errorf("%s@%s: %w", path, version, fs.ErrNotExist)
	}
	reader, err := zip.NewReader(bytes.NewReader(a.zip), int64(len(a.zip)))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range reader.File {
		names = append(names, file.Name)
	}
	return formatSums(a.module, a.mod, names, func(name string) (io.ReadCloser, error) { return reader.Open(name) })
}

// formatSums writes the go.sum lines of a version whose zip holds the named files.
func formatSums(m module.Version, mod []byte, names []string, open func(string) (io.ReadCloser, error)) ([]byte, error) {
	sum, err := dirhash.Hash1(names, open)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m, err)
	}
	modSum, err := sumOfMod(mod)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, sum, m.Path, m.Version, modSum), nil
}

func sumOfMod(mod []byte) (string, error) {
	return dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(mod)), nil
	})
}

func isHex(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
