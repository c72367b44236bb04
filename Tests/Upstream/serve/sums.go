package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// GoSum gives the go.sum lines of a version in the tree; one that has no zip has the line of its go.mod alone.
func (f *Files) GoSum(path, version string) ([]byte, error) {
	escapedPath, err := module.EscapePath(path)
	if err != nil {
		return nil, err
	}
	escapedVersion, err := module.EscapeVersion(version)
	if err != nil {
		return nil, err
	}
	base := f.Path(escapedPath + "/@v/" + escapedVersion)
	mod, err := os.ReadFile(base + ".mod")
	if err != nil {
		return nil, fmt.Errorf("%s@%s: %w", path, version, fs.ErrNotExist)
	}
	modSum, err := sumOfMod(mod)
	if err != nil {
		return nil, err
	}
	lines := fmt.Sprintf("%s %s/go.mod %s\n", path, version, modSum)
	sum, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("%s.zip: %w", base, err)
	default:
		lines = fmt.Sprintf("%s %s %s\n", path, version, sum) + lines
	}
	return []byte(lines), nil
}

// Versions lists the module versions whose go.mod the tree holds, sorted.
func (f *Files) Versions() ([]module.Version, error) {
	var list []module.Version
	err := fs.WalkDir(os.DirFS(f.root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		escapedPath, file, found := strings.Cut(name, "/@v/")
		escapedVersion, isMod := strings.CutSuffix(file, ".mod")
		if !found || !isMod {
			return nil
		}
		path, err := module.UnescapePath(escapedPath)
		if err != nil {
			return err
		}
		version, err := module.UnescapeVersion(escapedVersion)
		if err != nil {
			return err
		}
		list = append(list, module.Version{Path: path, Version: version})
		return nil
	})
	sort.Slice(list, func(i, j int) bool { return list[i].String() < list[j].String() })
	return list, err
}
