package modtree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// goMod gives the go.mod that the tree has for a source. Requirements on modules held name the nearest version
// held; others, which only tests and tools need, are left out. So the tree is complete in itself.
func goMod(s *Source, held map[string][]string) ([]byte, error) {
	data := s.GoMod
	if data == nil {
		var err error
		data, err = os.ReadFile(filepath.Join(s.Dirs[0], "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Appendf(nil, "module %s\n", s.Module.Path), nil
		}
		if err != nil {
			return nil, err
		}
	}
	file, err := modfile.Parse(s.Module.String()+"/go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	if file.Module == nil || file.Module.Mod.Path != s.Module.Path {
		return nil, fmt.Errorf("the go.mod of %s declares another module", s.Module)
	}
	for _, r := range append([]*modfile.Require(nil), file.Require...) {
		version := nearest(r.Mod.Version, held[r.Mod.Path])
		if version == "" {
			err = file.DropRequire(r.Mod.Path)
		} else {
			err = file.AddRequire(r.Mod.Path, version)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, r := range append([]*modfile.Replace(nil), file.Replace...) {
		if err := file.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	for _, e := range append([]*modfile.Exclude(nil), file.Exclude...) {
		if err := file.DropExclude(e.Mod.Path, e.Mod.Version); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	return file.Format()
}

// nearest is the version itself, else the lowest above it, else the highest below it; "" where there is none.
func nearest(version string, held []string) string {
	above, below := "", ""
	for _, h := range held {
		switch c := semver.Compare(h, version); {
		case c == 0:
			return h
		case c > 0 && (above == "" || semver.Compare(h, above) < 0):
			above = h
		case c < 0 && (below == "" || semver.Compare(h, below) > 0):
			below = h
		}
	}
	if above != "" {
		return above
	}
	return below
}
