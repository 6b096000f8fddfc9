#!/bin/bash
# While STS hangs beyond the session's end, calls wait and can be interrupted, fail when it takes too long, and SIGTERM ends the daemon at once.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o duration_seconds=2,metadata_ttl=0

# interrupted_ls: an ls that gets a Ctrl-C after a second: false when it ended before
interrupted_ls() {
    local status=0
    timeout -s INT 1 ls mnt >ls.out 2>&1 || status=$?
    [ $status = 124 ]
}

fault add --action AssumeRole hang >fault.id
until interrupted_ls; do sleep 0.1; done
began=$EPOCHREALTIME
interrupted_ls
took=$(elapsed_ms "$began")
echo "an ls that was interrupted after 1000 ms ended after $took ms"
at_most "ms of an interrupted ls" "$took" $((2000 * slow))

fault clear
ls mnt

fault add --action AssumeRole hang >fault.id
until interrupted_ls; do sleep 0.1; done
began=$EPOCHREALTIME
refused 'Key has expired' ls mnt
took=$(elapsed_ms "$began")
echo "an ls that nobody interrupted ended after $took ms"
at_most "ms of a call" "$took" 25000
has "$daemon_log" 'session has ended and is not renewed: .*timed out.*EKEYEXPIRED.*Check the network'

began=$EPOCHREALTIME
kill -TERM "$daemon_pid"
ended_b 0
took=$(elapsed_ms "$began")
echo "SIGTERM ended the daemon after $took ms"
at_most "ms until the daemon's end" "$took" $((1000 * slow))
if mountpoint -q mnt; then fail "still mounted"; fi
