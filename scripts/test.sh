#!/usr/bin/env bash
# Runs all tests: sets up what they need, builds once, then the modules' tests side by side, those that look at their
# whole process by themselves, and the tests with real clients one after the other. Words after the name are handed to `swift test` (such as --filter Corpus).
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

# Suites that look at their whole process (its memory, its time) run in one of their own.
alone='\.(CrowdTests|FileBodyTests|LargeBodyTests)/'

step "set-up" "$root/scripts/setup.sh"
step "set-up of the tests" "$root/scripts/setup-tests.sh"
step "build" swift build -c release --build-tests -j "$(nproc)"
if [ $# -gt 0 ]; then
    step "tests" run_tests "$@"
else
    step "module tests" run_tests --skip '^ClientTests\.' --skip "$alone"
    step "tests of a process" run_tests --no-parallel --filter "$alone"
    step "client tests" run_tests --no-parallel --filter '^ClientTests\.'
fi
printf '%s\n' "${times[@]}"
