// Package modtree builds a module proxy's file tree from sources at hand: Debian's packages of Go sources, the
// modules vendored in Go distributions, and the distributions themselves as toolchain modules.
package modtree

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// A Source is one module version and where its files stand.
type Source struct {
	Module module.Version
	// Dirs hold the module's files; more than one where two places hold parts of the same version.
	Dirs []string
	// GoMod is the module's go.mod where the sources have none.
	GoMod []byte
}

// ReadCatalog reads lines "package module version [directory]". The directory below root is the module's path
// unless it is given. Lines that are empty or begin with # say nothing.
func ReadCatalog(file, root string) ([]*Source, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []*Source
	scanner := bufio.NewScanner(f)
	for number := 1; scanner.Scan(); number++ {
		fields := strings.Fields(scanner.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 3 || len(fields) > 4 {
			return nil, fmt.Errorf("%s:%d: want package, module, version and perhaps a directory", file, number)
		}
		m := module.Version{Path: fields[1], Version: fields[2]}
		dir := m.Path
		if len(fields) == 4 {
			dir = fields[3]
		}
		dir = filepath.Join(root, filepath.FromSlash(dir))
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s:%d: %s is no directory: is the package %s unpacked?", file, number, dir, fields[0])
		}
		list = append(list, &Source{Module: m, Dirs: []string{dir}})
	}
	return list, scanner.Err()
}
