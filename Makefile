# Everything that people do with this checkout; `make` alone lists it.
prefix ?= /usr/local
config ?=
sections ?=
quick ?=

.PHONY: help demo run test soak bench fuzz format lint install deb clean

help: ## show this list
	@awk -F ': .*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## build a program of 53 modules and pull an image of 210 MiB through three nodes, the last time without upstream
	@scripts/demo.sh

run: ## build and run a node on this machine (config=FILE for its configuration)
	@scripts/setup.sh
	swift build -c release --product edgenode
	exec "$$(swift build -c release --show-bin-path)/edgenode" run $(if $(config),--config $(config))

test: ## install what the tests need, build, run all of them
	@scripts/test.sh

soak: ## the long runs of the same tests, and 10^7 executions of each fuzzer
	@EDGENODE_SOAK=1 scripts/test.sh
	@scripts/fuzz.sh

bench: ## measure the node beside nginx, varnish, docker-registry, BitTorrent, serf ... (sections="hot-small cluster", quick=1)
	@scripts/bench.sh $(if $(quick),--quick) $(sections)

format: ## put the sources into the house's form
	swift format format --in-place --parallel --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources/Fuzz*

lint: ## check the form of the sources
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources/Fuzz*

install: ## build the node with static Swift libraries and install it below prefix (/usr/local)
	@scripts/setup.sh
	swift build -c release --product edgenode --static-swift-stdlib --scratch-path .build-static
	install -D -m 755 "$$(swift build -c release --static-swift-stdlib --scratch-path .build-static --show-bin-path)/edgenode" "$(DESTDIR)$(prefix)/bin/edgenode"
	install -D -m 644 packaging/edgenode.1 "$(DESTDIR)$(prefix)/share/man/man1/edgenode.1"

deb: ## build a Debian package with the Swift libraries inside, in .build-static
	@scripts/setup.sh packaging
	@packaging/build-deb.sh

clean: ## remove what was built and fetched
	rm -rf .build .build-static .cache Fuzz/.build
