# What the scripts share; sourced by them with bash.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache

say() { printf '%s\n' "$*" >&2; }

# fail WHAT REMEDY...: says what is wrong and what to do, one line each, and ends.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || echo "$package"
    done
}

# need_packages WHAT PACKAGE...: installs what is missing of the Debian packages that WHAT needs.
need_packages() {
    local what=$1
    shift
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        fail "$what needs packages that are named here as Debian names them, and this system has no apt." \
            "Install what your system calls: $*" \
            "and run the step after this one by hand (see the Makefile)."
    local missing
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] ||
        fail "$what needs packages that are not installed: $missing" "Run: sudo apt-get install $missing"
    say "installing for $what: $missing"
    # Lists may be absent or old: they are fetched when the install cannot do without.
    # shellcheck disable=SC2086
    apt_install $missing >/dev/null 2>&1 || {
        apt-get update -qq
        apt_install $missing >/dev/null ||
            fail "apt-get could not install: $missing" "Its own words stand above; on Debian 12 all of them exist."
    }
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# stamp FILE...: a digest of the files' contents, to tell whether what was made from them is still theirs.
stamp() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

# is_current DIRECTORY STAMP: was the directory finished from the same inputs?
is_current() { [ "$(cat "$1/.stamp" 2>/dev/null || true)" = "$2" ]; }
