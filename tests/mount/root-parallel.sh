#!/bin/bash
# 16 processes on their own names: no error, consistent at the end, and far fewer ListBuckets than calls.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0.5
mark
began=$EPOCHREALTIME
worker() {
    local i
    for i in 1 2 3 4 5 6; do
        mkdir "mnt/par-$1-$i" && stat "mnt/par-$1-$i" >/dev/null && ls mnt | grep -qx "par-$1-$i" &&
            { [ "$i" -eq 6 ] || rmdir "mnt/par-$1-$i"; } || echo "worker $1 round $i" >>failures
    done
}
for w in $(seq 16); do worker "$w" & workers+=" $!"; done
# shellcheck disable=SC2086
wait $workers
took=$(elapsed_ms "$began")
[ ! -s failures ] || fail "$(cat failures)"
equal "what is left" "$(ls mnt | sort | tr '\n' ' ')" "$(for w in $(seq 16); do echo "par-$w-6"; done | sort | tr '\n' ' ')"
equal "made" "$(requests PUT)" 96
equal "removed" "$(requests DELETE)" 80
lists=$(requests GET '^/\?')
echo "figure: 16 processes, 96 mkdir, 96 stat, 96 ls, 80 rmdir: $lists ListBuckets in $took ms"
at_most "ListBuckets" "$lists" $((took / 250 + 20)) # some for each TTL
unmount_b
