package serve

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"txtar.test/txtar"
)

// An archive is one module version of the go command's testdata/mod: the files of a txtar archive, among them
// .info and .mod. Names that start with a slash stand in the zip as they are, which is how the corpus makes
// zips with files outside of module@version/.
type archive struct {
	module module.Version
	info   []byte
	mod    []byte
	zip    []byte
}

// readArchives reads every module version in dir, sorted by path and version.
func readArchives(dir string) ([]*archive, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []*archive
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".txt")
		i := strings.LastIndex(name, "_v")
		if !ok || i < 0 {
			continue
		}
		path, err := module.UnescapePath(strings.ReplaceAll(name[:i], "_", "/"))
		if err != nil {
			continue // the corpus holds one path that is invalid on purpose; nobody can ask for it
		}
		version, err := module.UnescapeVersion(name[i+1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		parsed, err := txtar.ParseFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		a, err := newArchive(module.Version{Path: path, Version: version}, parsed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no module archives: %w", dir, fs.ErrNotExist)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].module.Path != list[j].module.Path {
			return list[i].module.Path < list[j].module.Path
		}
		return semver.Compare(list[i].module.Version, list[j].module.Version) < 0
	})
	return list, nil
}

func newArchive(m module.Version, parsed *txtar.Archive) (*archive, error) {
	a := &archive{module: m}
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for _, file := range parsed.Files {
		switch file.Name {
		case ".info":
			a.info = file.Data
			continue
		case ".mod":
			a.mod = file.Data
			continue
		case ".zip":
			continue
		}
		name, absolute := strings.CutPrefix(file.Name, "/")
		if !absolute {
			name = m.Path + "@" + m.Version + "/" + file.Name
		}
		entry, err := writer.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(file.Data); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	a.zip = buffer.Bytes()
	return a, nil
}

// commit is the revision that a version stands for, as far as the corpus names one.
func (a *archive) commit() string {
	if module.IsPseudoVersion(a.module.Version) {
		return a.module.Version[strings.LastIndex(a.module.Version, "-")+1:]
	}
	var info struct{ Short string }
	if json.Unmarshal(a.info, &info) != nil {
		return ""
	}
	return info.Short
}
