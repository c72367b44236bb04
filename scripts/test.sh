#!/usr/bin/env bash
# Runs all tests: sets up what they need, builds once, then the store's tests side by side, and one after the other
# those of the other modules (they look at time-outs and at their process's memory), those with real clients, and those
# with several nodes in networks of their own (root only). Words after the name are handed to `swift test` (such as --filter Corpus).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"
export SWIFT_BACKTRACE=enable=no

times=()
# step NAME COMMAND...: runs a part and keeps its time.
step() {
    local name=$1 start=$SECONDS
    shift
    say "== $name"
    "$@"
    times+=("$(printf '%6d s  %s' $((SECONDS - start)) "$name")")
}

run_tests() { swift test -c release --skip-build --disable-xctest "$@"; }

step "set-up" "$root/scripts/setup.sh"
step "set-up of the tests" "$root/scripts/setup-tests.sh"
step "build" swift build -c release --build-tests -j "$(nproc)"
if [ $# -gt 0 ]; then
    step "tests" run_tests "$@"
else
    step "store tests" run_tests --filter '^ChunkStoreTests\.'
    step "module tests" run_tests --no-parallel --skip '^(ClientTests|ClusterTests|ChunkStoreTests)\.'
    step "client tests" run_tests --no-parallel --filter '^ClientTests\.'
    step "cluster tests" run_tests --no-parallel --filter '^ClusterTests\.'
fi
printf '%s\n' "${times[@]}"
