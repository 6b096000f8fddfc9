#!/bin/bash
# Anne's key is rotated four times under load: no call fails. A mended credentials file is taken up without waiting out the back-off.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o duration_seconds=6,metadata_ttl=0.2

# is_used KEY: since the mark
is_used() {
    awk -v since="$marked" -v key="$1" 'NR > since && $7 == "AssumeRole" && $11 == key && $4 == 200 { n++ } END { exit !n }' \
        "$work/aws/gateway.log"
}
load_start 4
for rotation in 1 2 3 4; do
    "$local_aws" rotate-key -C "$work/aws" 2>rotated
    key=$(sed -n "s/.*Anne's key is now //p" rotated)
    mark
    await "is_used $key" # a session was given to it
done
load_stop
echo "4 rotations, $(grep -c 'session not renewed' "$daemon_log" || :) failed renewals, $calls calls, $failed failed"
equal "failed calls" "$failed" 0
lacks "$daemon_log" 'session has ended'

# no call asks for a renewal now: six failures in a row, and the next attempt is seconds away
cp aws/aws/credentials right
sed "/^\[Anne\]/,/^\[aroot\]/s/^aws_access_key_id.*/aws_access_key_id = AKIAWRONGWRONGWRONG2/" right >wrong
cp wrong aws/aws/credentials
daemon_lines=$(wc -l <"$daemon_log")
timeout "$patience" grep -cm6 -E 'session (not renewed|has ended)' \
    < <(exec tail -s 0.05 -n "+$((daemon_lines + 1))" -f "--pid=$daemon_pid" "$daemon_log") >failures # to a file: grep reads on to the end when it is /dev/null
began=$EPOCHREALTIME
mv right aws/aws/credentials
await_log 'session renewed after failures'
took=$(elapsed_ms "$began")
echo "the mended file was taken up after $took ms"
ls mnt
unmount_b
