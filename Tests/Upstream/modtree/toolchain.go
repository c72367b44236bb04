package modtree

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// toolchainModule is the module that a go command fetches other releases of itself from.
const toolchainModule = "golang.org/toolchain"

// WriteToolchain puts the Go distribution of this platform at goroot into the tree as a toolchain module:
// go.mod files are named _go.mod in it, tests stay away.
func (t *Tree) WriteToolchain(goroot string) error {
	data, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return err
	}
	release, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	m := module.Version{Path: toolchainModule, Version: "v0.0.1-" + release + ".linux-amd64"}
	var files []zip.File
	for _, top := range []string{"VERSION", "go.env", "bin", "lib", "pkg/include", "pkg/tool/linux_amd64", "src"} {
		err := filepath.WalkDir(filepath.Join(goroot, top), func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if entry.Name() == "testdata" {
					return fs.SkipDir
				}
				return nil
			}
			relative, err := filepath.Rel(goroot, name)
			if err != nil {
				return err
			}
			slashed := filepath.ToSlash(relative)
			if strings.HasSuffix(slashed, "_test.go") {
				return nil
			}
			if path.Base(slashed) == "go.mod" {
				slashed = path.Join(path.Dir(slashed), "_go.mod")
			}
			if module.CheckFilePath(slashed) == nil {
				files = append(files, zipFile{path: slashed, disk: name})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("toolchain at %s: %w", goroot, err)
		}
	}
	return t.write(m, []byte("module "+toolchainModule+"\n"), files)
}
