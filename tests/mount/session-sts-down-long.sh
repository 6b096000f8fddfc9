#!/bin/bash
# When STS is down for longer than a session lasts, calls fail with "Key has expired"; the mount heals when STS is back.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o duration_seconds=4,metadata_ttl=0

# down WHAT-THE-LOG-SAYS REMEDY KIND...: STS is down so for longer than the session lasts, and comes back
down() {
    local says=$1 remedy=$2
    shift 2
    fault add --action AssumeRole "$@" >fault.id
    await_log "session has ended and is not renewed: sts:AssumeRole of $XACCTFS_ROLE_ARN: .*$says.*EKEYEXPIRED.*$remedy"
    refused 'Key has expired' ls mnt
    refused 'Key has expired' mkdir mnt/not-made
    fault clear
    ls mnt >listing # the first call heals it
    mkdir "mnt/made-after-$1"
}
down ServiceUnavailable 'Try again later' status 503 ServiceUnavailable
down 'Empty reply' 'Check the network' cut
equal "the buckets" "$(cd mnt && echo *)" "made-after-cut made-after-status"
await_log 'session renewed after failures'
unmount_b
