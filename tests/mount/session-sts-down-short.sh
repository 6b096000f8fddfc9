#!/bin/bash
# While STS is down for less than a session lasts, no call fails: the log warns, and tells when it is over.
. "$(dirname "$0")/../support/case.sh"
start_aws

# down KIND...: STS is down so from now on, until two attempts have met it and a second has passed
down() {
    fault add --action AssumeRole "$@" >fault.id
    until [[ $(fault list) =~ hits=([0-9]+) && ${BASH_REMATCH[1]} -ge $hits ]]; do sleep 0.1; done
}

for kind in 'status 503 ServiceUnavailable' cut hang; do
    daemon_log=$work/${kind%% *}.log
    if [ "$kind" = hang ]; then hits=1; else hits=2; fi
    mount_b -o duration_seconds=6,metadata_ttl=0.2
    load_start 4
    # shellcheck disable=SC2086 # a kind and its arguments
    down $kind
    if [ "$kind" != hang ]; then await_log 'session not renewed: .* The old one is valid for [0-9]+ s more\. .*'; fi
    fault clear
    if [ "$kind" = hang ]; then await_log 'session renewed'; else await_log 'session renewed after failures'; fi
    load_stop
    echo "$kind: $(grep -c 'session not renewed' "$daemon_log" || :) failed renewals, $calls calls, $failed failed"
    equal "failed calls" "$failed" 0
    lacks "$daemon_log" 'session has ended'
    unmount_b
done
