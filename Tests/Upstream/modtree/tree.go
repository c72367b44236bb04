package modtree

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

// released is the time in the .info of every version that does not carry its own.
var released = time.Date(2023, time.June, 10, 12, 0, 0, 0, time.UTC)

// A Tree is a directory in the layout of a module cache's cache/download. Its bytes follow from its sources
// and from the Go release that this program was built with (which chooses how zips are deflated).
type Tree struct {
	root     string
	versions map[string][]string
}

// NewTree begins a tree in the directory root.
func NewTree(root string) *Tree {
	return &Tree{root: root, versions: make(map[string][]string)}
}

// Write puts sources that belong together into the tree: they require each other's versions, even where the tree
// holds others. A version that the tree already holds stays as it is.
func (t *Tree) Write(sources []*Source) error {
	held := make(map[string][]string)
	for _, s := range sources {
		held[s.Module.Path] = append(held[s.Module.Path], s.Module.Version)
	}
	for _, s := range sources {
		if slices.Contains(t.versions[s.Module.Path], s.Module.Version) {
			continue
		}
		mod, err := goMod(s, held)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Module, err)
		}
		files, err := moduleFiles(s.Dirs)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Module, err)
		}
		files = append(files, zipFile{path: "go.mod", data: mod})
		if err := t.write(s.Module, mod, files); err != nil {
			return err
		}
	}
	return nil
}

// write puts one version's .info, .mod and .zip into the tree.
func (t *Tree) write(m module.Version, mod []byte, files []zip.File) error {
	dir, err := t.dir(m.Path)
	if err != nil {
		return err
	}
	version, err := module.EscapeVersion(m.Version)
	if err != nil {
		return err
	}
	base := filepath.Join(dir, "@v", version)
	if err := os.MkdirAll(filepath.Dir(base), 0o777); err != nil {
		return err
	}
	info, err := infoOf(m)
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".info", info, 0o666); err != nil {
		return err
	}
	if err := os.WriteFile(base+".mod", mod, 0o666); err != nil {
		return err
	}
	out, err := os.Create(base + ".zip")
	if err != nil {
		return err
	}
	if err := zip.Create(out, m, files); err != nil {
		return fmt.Errorf("%s: %w", m, err)
	}
	t.versions[m.Path] = append(t.versions[m.Path], m.Version)
	return out.Close()
}

// Finish writes the version lists and the @latest files.
func (t *Tree) Finish() error {
	for path, versions := range t.versions {
		dir, err := t.dir(path)
		if err != nil {
			return err
		}
		semver.Sort(versions)
		list, latest := "", ""
		for _, v := range versions {
			if module.IsPseudoVersion(v) {
				continue
			}
			list += v + "\n"
			if latest == "" || semver.Prerelease(v) == "" || semver.Prerelease(latest) != "" {
				latest = v
			}
		}
		if latest == "" {
			latest = versions[len(versions)-1]
		}
		info, err := infoOf(module.Version{Path: path, Version: latest})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "@latest"), info, 0o666); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "@v", "list"), []byte(list), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tree) dir(path string) (string, error) {
	escaped, err := module.EscapePath(path)
	return filepath.Join(t.root, filepath.FromSlash(escaped)), err
}

func infoOf(m module.Version) ([]byte, error) {
	when := released
	if module.IsPseudoVersion(m.Version) {
		var err error
		if when, err = module.PseudoVersionTime(m.Version); err != nil {
			return nil, err
		}
	}
	return json.Marshal(struct {
		Version string
		Time    time.Time
	}{m.Version, when})
}
