#!/bin/bash
# What the mount knows costs nothing: warm ls, ls -l, stat, cd and df are 0 requests, mkdir and rmdir 1; nothing is a HEAD.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/warm-one mnt/warm-two
ls mnt >/dev/null

# costs NUMBER COMMAND...
costs() {
    local number=$1
    shift
    mark
    "$@" >out 2>&1 || :
    DEPTH=1 equal "requests of $*" "$(requests)" "$number"
}
costs 0 ls mnt
costs 0 ls -la mnt
equal "its lines" "$(grep -c '^d.* warm-' out)" 2
costs 0 stat mnt/warm-one mnt/warm-two mnt
costs 0 stat mnt/warm-missing
has out 'No such file'
costs 0 find mnt -maxdepth 1 -type d -newermt 2020-01-01
costs 0 bash -c 'cd mnt/warm-one && pwd && cd .. && cd warm-two'
costs 0 df mnt/warm-one
costs 0 test -w mnt/warm-one
costs 1 mkdir mnt/warm-three
costs 0 ls -l mnt
costs 1 rmdir mnt/warm-three
costs 0 ls -l mnt
costs 0 mkdir mnt/warm-one
has out 'File exists'
costs 0 rmdir mnt/warm-missing
has out 'No such file'
marked=0
equal "HEAD requests of it all" "$(requests HEAD)" 0
unmount_b
