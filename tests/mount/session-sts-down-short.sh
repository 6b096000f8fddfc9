#!/bin/bash
# While STS is down for less than a session lasts, no call fails: the log warns, and tells when it is over.
. "$(dirname "$0")/../support/case.sh"
start_aws

for kind in 'status 503 ServiceUnavailable' cut hang; do
    daemon_log=$work/${kind%% *}.log
    mount_b -o metadata_ttl=0.2
    load_start 4
    # shellcheck disable=SC2086 # a kind and its arguments
    fault add --action AssumeRole $kind >fault.id
    # one refused call, which may fail, has the session renewed, and nobody need wait until that is due
    fault add --method PUT --path '^/asks-for-it' --count 1 expired-token >/dev/null
    mkdir mnt/asks-for-it 2>/dev/null &
    asking=$!
    if [ "$kind" = hang ]; then
        hanging 1
    else
        hanging 2 "$kind"
        await_log 'session not renewed: .* The old one is valid for [0-9]+ s more\. .*'
    fi
    fault clear
    if [ "$kind" = hang ]; then await_log 'session renewed'; else await_log 'session renewed after failures'; fi
    wait $asking || :
    load_stop
    echo "$kind: $(grep -c 'session not renewed' "$daemon_log" || :) failed renewals, $calls calls, $failed failed"
    equal "failed calls" "$failed" 0
    lacks "$daemon_log" 'session has ended'
    unmount_b
done
