# shellcheck shell=bash
# packages.sh: Debian's packages by purpose, and their installation. Sourced by the scripts beside it.
#
#   want_packages NAME...    installs those that are missing, as root, without questions; says which

# to build the program
# shellcheck disable=SC2034
BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libfuse3-dev fuse3 libcurl4-openssl-dev libssl-dev libxml2-dev
    uthash-dev libjansson-dev libsystemd-dev)
# to test it
# shellcheck disable=SC2034
TEST_PACKAGES=(libcmocka-dev python3 python3-venv python3-botocore awscli clang-format clang-tidy shellcheck man-db groff iproute2 curl
    openssl attr faketime procps jq rsync s3fs git sqlite3 ed zip vim-tiny nano)

want_packages() {
    local missing=() name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing packages: ${missing[*]}" >&2
    apt_install "${missing[@]}" || { echo "apt-get could not install ${missing[*]}" >&2; return 1; }
}

# Without a package list (a fresh image) the first try fails: fetch it, try again.
apt_install() {
    local log
    log=$(apt_get install "$@" 2>&1) && return
    echo "fetching the package lists first" >&2
    log=$(apt_get update 2>&1 && apt_get install "$@" 2>&1) || { tail -n 5 <<<"$log" >&2; return 1; }
}

apt_get() {
    local verb=$1
    shift
    [ "$verb" = update ] || set -- -y --no-install-recommends "$@"
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$verb" "$@" </dev/null
}
