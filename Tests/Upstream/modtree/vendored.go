package modtree

import (
	"bufio"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
)

// ReadVendored finds the modules that a Go distribution vendors for its standard library and its commands. Only the
// packages that it uses are there, which makes small but real modules. A distribution has no go.mod of theirs, so
// one is made from the imports.
func ReadVendored(goroot string) ([]*Source, error) {
	found := make(map[module.Version]*vendored)
	for _, dir := range []string{"src/vendor", "src/cmd/vendor"} {
		if err := readModulesFile(filepath.Join(goroot, dir), found); err != nil {
			return nil, err
		}
	}
	var list []*Source
	for _, v := range found {
		mod, err := v.goMod(found)
		if err != nil {
			return nil, err
		}
		v.source.GoMod = mod
		list = append(list, v.source)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Module.String() < list[j].Module.String() })
	return list, nil
}

type vendored struct {
	source    *Source
	goVersion string
}

// readModulesFile reads vendor/modules.txt: "# path version", then "## explicit; go 1.x".
func readModulesFile(vendor string, found map[module.Version]*vendored) error {
	f, err := os.Open(filepath.Join(vendor, "modules.txt"))
	if err != nil {
		return err
	}
	defer f.Close()
	var current *vendored
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		switch {
		case len(fields) == 3 && fields[0] == "#":
			m := module.Version{Path: fields[1], Version: fields[2]}
			current = found[m]
			if current == nil {
				current = &vendored{source: &Source{Module: m}}
				found[m] = current
			}
			current.source.Dirs = append(current.source.Dirs, filepath.Join(vendor, filepath.FromSlash(m.Path)))
		case len(fields) > 2 && fields[0] == "##" && current != nil && fields[len(fields)-2] == "go":
			current.goVersion = fields[len(fields)-1]
		}
	}
	return scanner.Err()
}

// goMod requires what the module's files import of the other vendored modules.
func (v *vendored) goMod(all map[module.Version]*vendored) ([]byte, error) {
	needed := make(map[string]string)
	for _, dir := range v.source.Dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				for m := range all {
					if m.Path != v.source.Module.Path && (name == m.Path || strings.HasPrefix(name, m.Path+"/")) {
						needed[m.Path] = m.Version
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf("module %s\n", v.source.Module.Path)
	if v.goVersion != "" {
		text += fmt.Sprintf("\ngo %s\n", v.goVersion)
	}
	var paths []string
	for path := range needed {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		text += fmt.Sprintf("\nrequire %s %s\n", path, needed[path])
	}
	return []byte(text), nil
}
