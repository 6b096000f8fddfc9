# install.sh: the packages of this host, and the folder with a newer Debian's Ceph. Sourced by local-aws.
#
#   install_packages        apt-get installs what is missing of debootstrap, haproxy, curl
#   install_ceph_root       makes $ceph_root, a folder of Debian $CEPH_SUITE with radosgw 20 (about a minute, 830 MB); starts no service
#
# Why a folder: Debian 12's own radosgw knows no accounts, so a role session there would act as Anne.
# It is made once and shared by all DIRs; each run enters it in a private, read-only mount namespace (ceph_enter).
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

CEPH_SUITE=${CEPH_SUITE:-forky}
CEPH_PACKAGES=(ceph-mon ceph-osd radosgw)

install_packages() {
    local fresh=1
    ! command -v haproxy >/dev/null || fresh=0
    want_packages debootstrap haproxy curl util-linux || exit 1
    # The package starts a service of its own; we need only the program.
    if [ $fresh = 1 ] && [ -d /run/systemd/system ]; then
        systemctl disable --now --quiet haproxy || :
    fi
}

ceph_root_ready() { [ -x "$ceph_root/usr/bin/radosgw" ]; }

# Built under another name and renamed when complete, so that a folder of this name is always whole.
# The lock is on the parent folder: two runs do not build at once, and no lock file stays.
install_ceph_root() {
    ceph_root_ready && return
    local parent
    parent=$(dirname "$ceph_root")
    mkdir -p "$parent" || die "cannot make $parent"
    (
        flock 9
        ceph_root_ready && exit
        [ ! -e "$ceph_root" ] || die "$ceph_root exists but holds no radosgw: remove it, or set XACCTFS_CEPH_ROOT"
        say "making $ceph_root: Debian $CEPH_SUITE with ${CEPH_PACKAGES[*]}, about a minute"
        rm -rf --one-file-system "$ceph_root.tmp"
        if ! build_ceph_root "$ceph_root.tmp" >"$ceph_root.log" 2>&1 9<&-; then
            tail -n 5 "$ceph_root.log" >&2
            rm -rf --one-file-system "$ceph_root.tmp"
            die "the Ceph folder could not be made (whole log: $ceph_root.log)"
        fi
        mv "$ceph_root.tmp" "$ceph_root"
        rm -f "$ceph_root.log"
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
