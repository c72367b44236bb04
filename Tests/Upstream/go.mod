module edgenode.test/upstream

go 1.26

require (
	golang.org/x/mod v0.36.0
	txtar.test/txtar v0.0.0
)

// The reference implementations are not committed: scripts/setup-tests.sh takes them out of the Go distribution.
replace (
	golang.org/x/mod => ../../.cache/reference/mod
	txtar.test/txtar => ../../.cache/reference/txtar
)
