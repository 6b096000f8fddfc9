# install.sh: the packages of this host, and the folders with a newer Debian's Ceph, and with moto. Sourced by local-aws.
#
#   install_packages        apt-get installs what is missing of haproxy, curl, and what the server's folder is made by
#   install_ceph            makes $ceph_root, a folder of Debian $CEPH_SUITE with radosgw 20 (about a minute, 830 MB); starts no service
#   install_moto            makes $moto_root, a Python environment with moto from PyPI (140 MB)
#
# Why a folder of Ceph: Debian 12's own radosgw knows no accounts, so a role session there would act as Anne.
# It is made once and shared by all DIRs; each run enters it in a private, read-only mount namespace (ceph_enter).
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

CEPH_SUITE=${CEPH_SUITE:-forky}
CEPH_PACKAGES=(ceph-mon ceph-osd radosgw)
declare -A SERVER_PACKAGES=([ceph]=debootstrap [moto]=python3-venv)

install_packages() {
    local fresh=1
    ! command -v haproxy >/dev/null || fresh=0
    want_packages haproxy curl util-linux "${SERVER_PACKAGES[$SERVER]}" || exit 1
    # The package starts a service of its own; we need only the program.
    if [ $fresh = 1 ] && [ -d /run/systemd/system ]; then
        systemctl disable --now --quiet haproxy || :
    fi
}

ceph_root_ready() { [ -x "$ceph_root/usr/bin/radosgw" ]; }

install_ceph() {
    ceph_root_ready ||
        install_folder "$ceph_root" XACCTFS_CEPH_ROOT "Debian $CEPH_SUITE with ${CEPH_PACKAGES[*]}, about a minute" ceph_root_ready build_ceph_root
}

moto_root_ready() { [ -x "$moto_root/bin/moto_server" ]; }

install_moto() {
    moto_root_ready || install_folder "$moto_root" XACCTFS_MOTO_ROOT "moto from PyPI" moto_root_ready build_moto_root
}

# install_folder DIR VARIABLE WHAT READY BUILD  Built under another name and renamed when complete, so that a folder of this name is
# always whole. The lock is on the parent folder: two runs do not build at once, and no lock file stays.
install_folder() {
    local root=$1 variable=$2 what=$3 ready=$4 build=$5 parent
    parent=$(dirname "$root")
    mkdir -p "$parent" || die "cannot make $parent"
    (
        flock 9
        "$ready" && exit
        [ ! -e "$root" ] || die "$root exists but is not of ours: remove it, or set $variable"
        say "making $root: $what"
        rm -rf --one-file-system "$root.tmp"
        if ! "$build" "$root.tmp" >"$root.log" 2>&1 9<&-; then
            tail -n 5 "$root.log" >&2
            rm -rf --one-file-system "$root.tmp"
            die "the folder could not be made (whole log: $root.log)"
        fi
        mv "$root.tmp" "$root"
        rm -f "$root.log"
    ) 9<"$parent" || exit 1
}

# In a private mount namespace, so that an interrupted run leaves no mount behind.
build_ceph_root() {
    local mirror script
    mirror=$(host_mirror)
    [ -n "$mirror" ] || { echo "apt knows no Debian mirror here"; return 1; }
    script=/usr/share/debootstrap/scripts/$CEPH_SUITE
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid     # an older debootstrap does not know the suite's name
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount bash -euc '
        root=$1 suite=$2 mirror=$3 script=$4; shift 4
        unset TMPDIR                                                       # a folder of the host, which is not there inside
        debootstrap --variant=minbase "$suite" "$root" "$mirror" "$script"
        printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"      # no package may start a service
        chmod +x "$root/usr/sbin/policy-rc.d"
        mount -t proc proc "$root/proc"
        DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends "$@" </dev/null
        rm -f "$root"/var/cache/apt/archives/*.deb
    ' build_ceph_root "$1" "$CEPH_SUITE" "$mirror" "$script" "${CEPH_PACKAGES[@]}"
}

# The mirror this host itself uses.
host_mirror() {
    # shellcheck disable=SC2016  # apt's own variable
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | awk 'NR == 1'
}

# Its scripts name the folder it is made in, but the interpreter does not.
build_moto_root() {
    /usr/bin/python3 -m venv "$1" && timeout 600 "$1/bin/python" -m pip install 'moto[s3]' flask flask-cors
}
