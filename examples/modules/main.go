// Modules is a small command made of many modules: it reads a version list from TOML, YAML, INI or JSON, checks and
// sorts it, and prints it as a table. Its build list is what `make demo` fetches through a node.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/semver/v3"
	"github.com/cespare/xxhash/v2"
	"github.com/dgrijalva/jwt-go"
	"github.com/fatih/color"
	offline "github.com/gofrs/uuid"
	"github.com/golang/snappy"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/go-version"
	lru "github.com/hashicorp/golang-lru"
	"github.com/ianlancetaylor/demangle"
	"github.com/olekukonko/tablewriter"
	"github.com/pkg/errors"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"github.com/ulikunitz/xz"
	"github.com/yuin/goldmark"
	"go.uber.org/zap"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

func main() {
	command := &cobra.Command{Use: "modules", Short: "Show the modules that this program is made of", RunE: run}
	command.Flags().Bool("metrics", false, "also print the count as a metric")
	if err := viper.BindPFlags(command.Flags()); err != nil {
		logrus.Fatal(err)
	}
	if err := command.Execute(); err != nil {
		os.Exit(1)
	}
}

func run(command *cobra.Command, _ []string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary carries no module list")
	}
	table := tablewriter.NewWriter(command.OutOrStdout())
	table.SetHeader([]string{"module", "version", "kind"})
	sort.Slice(info.Deps, func(i, j int) bool { return info.Deps[i].Path < info.Deps[j].Path })
	for _, dep := range info.Deps {
		kind, err := kindOf(dep.Version)
		if err != nil {
			return errors.Wrap(err, dep.Path)
		}
		table.Append([]string{dep.Path, dep.Version, kind})
	}
	table.Render()
	if err := selfCheck(); err != nil {
		return err
	}
	if viper.GetBool("metrics") {
		if err := printMetric(command.OutOrStdout(), len(info.Deps)); err != nil {
			return err
		}
	}
	color.New(color.FgGreen).Fprintf(command.OutOrStdout(), "%d modules, all at work\n", len(info.Deps))
	return nil
}

func kindOf(v string) (string, error) {
	parsed, err := semver.NewVersion(v)
	if err != nil {
		return "", err
	}
	other, err := version.NewVersion(v)
	if err != nil {
		return "", err
	}
	kind := "release"
	switch {
	case strings.HasSuffix(v, "+incompatible"):
		kind = "incompatible"
	case parsed.Prerelease() != "" || other.Prerelease() != "":
		kind = "prerelease"
	}
	return cases.Title(language.English).String(kind), nil
}

func printMetric(w io.Writer, count int) error {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "modules_linked", Help: "Modules in this binary."})
	gauge.Set(float64(count))
	registry := prometheus.NewRegistry()
	if err := registry.Register(gauge); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}

// selfCheck lets the other modules do a little of what they are for.
func selfCheck() error {
	var problems *multierror.Error
	check := func(what string, ok bool) {
		if !ok {
			problems = multierror.Append(problems, fmt.Errorf("%s does not work", what))
		}
	}
	var group errgroup.Group
	text := []byte("one two three")
	group.Go(func() error {
		var packed bytes.Buffer
		w, err := xz.NewWriter(&packed)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		r, err := xz.NewReader(&packed)
		if err != nil {
			return err
		}
		back, err := io.ReadAll(r)
		if err == nil && !bytes.Equal(back, text) {
			return errors.New("xz does not work")
		}
		return err
	})
	unpacked, err := snappy.Decode(nil, snappy.Encode(nil, text))
	check("snappy", err == nil && bytes.Equal(unpacked, text))
	var fromTOML, fromYAML struct{ Name string }
	_, err = toml.Decode("name = 'a'", &fromTOML)
	check("toml", err == nil && fromTOML.Name == "a")
	check("yaml", yaml.Unmarshal([]byte("name: a"), &fromYAML) == nil && fromYAML.Name == "a")
	cache, err := lru.New(2)
	check("lru", err == nil && !cache.Add(1, 1))
	token, err := jwt.New(jwt.SigningMethodHS256).SignedString(text)
	check("jwt", err == nil && strings.Count(token, ".") == 2)
	check("uuid", offline.NewV5(offline.NamespaceURL, "a").Version() == offline.V5)
	check("demangle", demangle.Filter("_Z1fv") == "f()")
	check("xxhash", xxhash.Sum64String("") == 0xef46db3751d8e999)
	check("blake2b", len(blake2b.Sum256(text)) == 32)
	var html bytes.Buffer
	check("goldmark", goldmark.Convert([]byte("*a*"), &html) == nil && strings.Contains(html.String(), "<em>"))
	log := zerolog.New(io.Discard)
	log.Info().Bool("terminal", term.IsTerminal(1)).Msg("checked")
	zap.NewNop().Info("checked")
	if err := group.Wait(); err != nil {
		problems = multierror.Append(problems, err)
	}
	return problems.ErrorOrNil()
}
