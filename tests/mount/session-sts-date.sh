#!/bin/bash
# A Date in the answer of STS that is no date, or minutes or hours off, harms neither calls nor renewals.
. "$(dirname "$0")/../support/case.sh"
start_aws
for off in nonsense '+10 minutes' '-10 minutes' '+2 hours' '-2 hours'; do
    daemon_log="$work/off${off// /}.log"
    date=$off
    [ "$off" = nonsense ] || date=$(LC_ALL=C date -u -d "$off" '+%a, %d %b %Y %H:%M:%S GMT')
    fault add --action AssumeRole header Date "$date" >fault.id
    mount_b -o metadata_ttl=0
    mkdir mnt/made
    ls mnt >listing
    rmdir mnt/made
    fault add --path '^/\?' --count 1 expired-token >fault.id # asks for a renewal
    ls mnt >listing
    await_log 'session renewed'
    lacks "$daemon_log" 'error:'
    lacks "$daemon_log" 'clock is off' # signatures were by the right time
    unmount_b
    fault clear
done
