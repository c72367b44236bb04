package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/module"
)

const paddingPrefix = "padding.test/m"

// paddingVersions are versions of no module: they make a database large enough for full tiles.
func paddingVersions(number int) []module.Version {
	list := make([]module.Version, number)
	for i := range list {
		list[i] = module.Version{Path: fmt.Sprintf("%s%d", paddingPrefix, i), Version: "v1.0.0"}
	}
	return list
}

// padded answers for those versions itself.
func padded(gosum func(path, version string) ([]byte, error)) func(path, version string) ([]byte, error) {
	return func(path, version string) ([]byte, error) {
		if !strings.HasPrefix(path, paddingPrefix) {
			return gosum(path, version)
		}
		sum := sha256.Sum256([]byte(path + "@" + version))
		text := base64.StdEncoding.EncodeToString(sum[:])
		return fmt.Appendf(nil, "%s %s h1:%s\n%s %s/go.mod h1:%s\n", path, version, text, path, version, text), nil
	}
}
